"""Bands that follow: errors of forecasts on values that came after the fit, and the file that keeps all errors.

May import: the same rooms as `forecasts`.
"""
