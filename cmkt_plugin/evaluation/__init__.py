"""Scores models on pairs of folders."""
