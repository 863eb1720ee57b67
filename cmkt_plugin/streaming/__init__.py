"""Enhances a stream, samples in and samples out."""
