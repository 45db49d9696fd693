"""Checks of values, and the messages about missing packages: the same words wherever they are needed.

May import nothing.
"""
