"""Models as users name them, the files that they give, and answers by task, for the command line and the page.

May import: `explain`, `inputs`, `recipes`, `storage`, `tables`; the front door; the host `registry`.
"""
