"""Forecasts of tables: series as users hold them, horizons that are usual, and the folder of a forecaster.

May import: what `estimators` may.
"""
