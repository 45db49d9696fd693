"""What a value must be, said in the same words wherever a value is checked.

May import nothing.
"""
