"""Input files of commands: the options that describe how files are written, and the records that are read from them.

May import: `inputs`, `tables`, but only when a command runs.
"""
