"""The tasks of recipes: a file for each, with everything that is special about the task.

May import: the same as `recipes`.
"""
