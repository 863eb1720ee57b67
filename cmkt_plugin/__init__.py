"""Speech enhancement taught by a text language model, for SpeechBrain."""

__version__ = "0.1.0"
