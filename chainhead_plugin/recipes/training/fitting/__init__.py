"""Fitting a model: by transformers' Trainer, or in closed form; scales, weights of labels, and what can be resumed.

May import: the same as `recipes`.
"""
