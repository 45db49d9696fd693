"""Finds the model that a command names, in the zoo, in a folder or on the Hub, and loads the pipeline that runs it.

May import: `recipes`, `storage`, `tables`, but only when a command runs; the host `registry`.
"""
