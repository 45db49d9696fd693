"""Forecasting for the estimators: series in users' data types, usual horizons, and the folder of a forecaster.

May import: the same rooms as `estimators`.
"""
