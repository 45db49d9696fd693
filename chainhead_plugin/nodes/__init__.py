"""Where the nodes of a chain come from: tokens, encoders, images.

May import: `checks`, `config`, `head.options`.
"""
