"""Accuracy and time of the default classifier beside its best peers, on sets with official splits."""
