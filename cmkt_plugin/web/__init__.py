"""The local web page of ``cmkt serve``."""
