"""What the backward passes of kernels are made of, beside the kernels themselves.

May import: `chain`.
"""
