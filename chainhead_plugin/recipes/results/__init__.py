"""The results of a recipe: its output folder, the card and the pictures, and evaluations.

May import: the same as `recipes`.
"""
