"""What a recipe trains: the model, its peers, and their inputs.

May import: what `recipes` may import.
"""
