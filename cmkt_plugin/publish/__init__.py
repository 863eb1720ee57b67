"""Publishing a trained model: its hub folder, its card, its upload."""
