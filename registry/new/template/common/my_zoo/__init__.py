"""Models for the zoo of `python -m registry`."""
