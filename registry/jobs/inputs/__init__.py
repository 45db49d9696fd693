"""The inputs of jobs: files by their names, the rows in them, tables in memory, and values as pipelines take them."""
