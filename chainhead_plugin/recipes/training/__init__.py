"""Training, choosing on validation, and one look at the test part.

May import: what `recipes` may import.
"""
