"""Times of tables: read, evenly spaced or not, continued, and turned into features of the calendar."""
