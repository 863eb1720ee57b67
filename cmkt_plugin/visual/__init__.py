"""Lips: from video to what the enhancer sees."""
