"""Sounds, images and videos in files: found in a folder for each label or by a table, and read where no more is needed.

May import: the same as `recipes`.
"""
