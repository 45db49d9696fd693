"""Columns of tables: what each means, what can be guessed of it, and the numbers in its cells.

May import: of `tables` the errors, the spec, and what `formats` and `time` hold.
"""
