"""What comes of a recipe: the folder, its card and its pictures.

May import: what `recipes` may import.
"""
