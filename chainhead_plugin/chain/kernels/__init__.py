"""Triton kernels, named as the plain forms that they replace on a CUDA device.

May import: `chain`.
"""
