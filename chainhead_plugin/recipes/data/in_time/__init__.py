"""Series to forecast, cut in time: from files and packages, in windows of a past and a future.

May import: what `recipes` may import.
"""
