"""Which model a command means, in the zoo, in a folder or on the Hub, and the pipeline that runs it.

May import: `recipes`, `storage`, `tables`, each when a command runs; the host `registry`.
"""
