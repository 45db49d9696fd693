"""Checks of single fields of a recipe.

May import: the same as `recipes`.
"""
