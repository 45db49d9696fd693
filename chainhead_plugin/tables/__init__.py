"""One reader of users' tables."""
