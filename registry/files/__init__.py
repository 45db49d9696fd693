"""The files of checkpoints: their formats, and their hashes."""
