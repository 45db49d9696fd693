"""Metrics: the numbers that tell how good predictions are, by kind of prediction, and their outcomes over the seeds.

May import: the same as `recipes`.
"""
