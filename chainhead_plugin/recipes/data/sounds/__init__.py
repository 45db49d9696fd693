"""Sounds from files: how they are read, and the form in which a model takes them.

May import: the same as `recipes`.
"""
