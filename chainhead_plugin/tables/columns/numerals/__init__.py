"""How a column writes its numbers: decimal signs, signs between thousands, units and currencies.

May import: of `tables` the errors, the modules of `formats`, durations, and which cells are missing.
"""
