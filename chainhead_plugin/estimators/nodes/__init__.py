"""A label for every node: labels as users have them, training on them, and the model's outputs for every node.

May import: the same rooms as `estimators`.
"""
