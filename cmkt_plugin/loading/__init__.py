"""Opens models, also a stranger's, without running what they name."""
