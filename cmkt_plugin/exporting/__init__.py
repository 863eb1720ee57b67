"""Exports a trained enhancer as a folder that SpeechBrain loads."""
