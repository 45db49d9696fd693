"""Times of tables: reading and writing them, their step, the times that follow, and features of the calendar.

May import: of `tables` the errors, and cells and tables of `formats`.
"""
