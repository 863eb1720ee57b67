"""Diffusion: the SDE, its samplers and the score model."""
