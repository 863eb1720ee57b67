"""Enhances many files: which becomes which, threads, progress, resuming."""
