"""Text files with a row a line: their separators, names of columns, and cells.

May import: of `tables` the errors, and the cells, files and tables of `formats`.
"""
