"""Training, choosing by validation, and a single measurement on the test part.

May import: the same as `recipes`.
"""
