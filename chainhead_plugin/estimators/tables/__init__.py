"""Training on a user's table: its plan, training and test, and the folder that is written.

May import: the same rooms as `estimators`.
"""
