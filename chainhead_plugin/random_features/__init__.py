"""Frozen random chain heads and their pools: tensors in, features out; and ridge regression in closed form.

Imports nothing of the other rooms.
"""
