"""Predictions for more inputs than one process should take: cut into parts, computed here or on a Ray cluster.

May import: `files`, `plugins`, `pulling`. Neither torch nor ray is imported before a job runs.

A job's rows come from sources, such as files. Each source is cut into chunks of rows, and the predictions of a chunk
are a part: a file that is written whole, and whose name is the chunk's place. So a part that is computed twice is there
once, and a job that was broken off goes on with the parts that are missing.
"""
