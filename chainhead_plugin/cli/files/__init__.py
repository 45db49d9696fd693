"""What commands read: the options that say how files are written, and the records that come out of them.

May import: `inputs`, `tables`, each when a command runs.
"""
