"""One HTML page about finished and unfinished runs: ``cmkt report``."""
