"""The inputs of a recipe's models: examples prepared, by kind of data.

May import: the same as `recipes`.
"""
