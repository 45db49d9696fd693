"""Encoders of transformers that take floats: how they are built and called, and which of their nodes are real.

May import: the same rooms as `nodes`.
"""
