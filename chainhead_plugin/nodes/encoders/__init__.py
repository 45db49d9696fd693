"""Any encoder of transformers over floats: how it is called, what it is given, and which of its nodes are real.

May import what `nodes/` may.
"""
