"""Noisy speech from clean speech."""
