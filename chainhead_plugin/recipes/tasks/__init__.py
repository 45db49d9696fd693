"""The tasks of recipes, one a file: all that is special about each.

May import: what `recipes` may import.
"""
