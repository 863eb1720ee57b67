"""A rendered corpus of talking lips."""
