"""Readers for every format of files, which return columns or sequences that have no meaning yet.

May import: of `tables` the errors alone.
"""
