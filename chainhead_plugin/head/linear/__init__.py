"""Linear maps of features, whose weights may be reconciled from fewer.

May import: the same rooms as `head`.
"""
