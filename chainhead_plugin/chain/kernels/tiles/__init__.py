"""What kernels do with tiles of nodes: bands, products, the reach beyond a tile, and how tiles are fetched.

May import: `chain`.
"""
