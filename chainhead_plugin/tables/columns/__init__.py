"""Columns of tables: their meanings, stated or guessed, and the numbers in their cells.

May import: of `tables` the errors, the spec, and the modules of `formats` and `time`.
"""
