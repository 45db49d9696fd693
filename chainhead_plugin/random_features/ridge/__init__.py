"""Ridge regression: in closed form, in passes over the rows, on blocks of features, and on pools where rows are few.

May import: the same rooms as `random_features`.
"""
