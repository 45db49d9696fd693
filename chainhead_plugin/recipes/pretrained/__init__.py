"""The pretrained encoder that a recipe names: where its files are, how it takes examples, and the nodes it makes.

May import: the same as `recipes`.
"""
