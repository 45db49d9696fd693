"""Series to forecast, from files and packages, cut into windows of a past and a future.

May import: the same as `recipes`.
"""
