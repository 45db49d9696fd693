"""The pools, compiled for the CPU by Numba, named as the plain forms that they replace.

May import: `chain`, `checks`.
"""
