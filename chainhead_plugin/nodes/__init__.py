"""Where the nodes of a chain come from: tokens, encoders, images.

May import: `config`, `head.options`.
"""
