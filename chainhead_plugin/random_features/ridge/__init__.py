"""Ridge regression: in closed form, in passes over the rows, and on blocks of features.

May import: the same rooms as `random_features`.
"""
