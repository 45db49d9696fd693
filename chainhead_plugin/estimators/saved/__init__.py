"""Saving fitted estimators: their own state as JSON, and the model beside it.

May import: the same rooms as `estimators`.
"""
