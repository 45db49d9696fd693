"""Times of tables: read, evenly spaced or not, continued, and turned into features of the calendar.

May import: of `tables` the errors, and cells and tables of `formats`.
"""
