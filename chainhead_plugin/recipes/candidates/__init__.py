"""The models that a recipe trains: its own model, the peers, and the inputs of both.

May import: the same as `recipes`.
"""
