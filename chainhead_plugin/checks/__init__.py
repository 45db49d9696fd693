"""What a value must be, and which package is missing, said in the same words wherever it is checked.

May import nothing.
"""
