"""What files hold: a reader for every format, which gives columns or sequences without a meaning.

May import: of `tables` the errors alone.
"""
