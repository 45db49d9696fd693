"""A new distribution for the zoo: written from a template that works as it is."""
