"""Phones recognised in speech, and their confusions."""
