"""Where the nodes of a chain come from: tokens, encoders, images.

May import: `chain`, `checks`, `config`, `head`.
"""
