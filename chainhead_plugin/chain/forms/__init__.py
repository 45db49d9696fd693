"""The exact forms that chains are mixed in without the matrix A: filters, running sums, decays, powers.

May import: no other room.
"""
