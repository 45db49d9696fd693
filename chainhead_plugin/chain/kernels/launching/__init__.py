"""How kernels are launched: by themselves, or as operators of torch.

May import: `chain`.
"""
