"""The rows of a table become series: told apart, in order, with gaps, and with the places of their nodes in files.

May import: of `tables` the errors, the spec, series, and the modules of `columns`, `formats` and `time`.
"""
