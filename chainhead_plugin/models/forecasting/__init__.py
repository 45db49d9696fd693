"""Parts of the forecaster: scales of series, the linear path beside the chain, quantiles, and the loss.

May import: what `models` may import, and nothing of the other modules of `models`.
"""
