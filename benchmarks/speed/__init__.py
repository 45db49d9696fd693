"""The speed of chains beside their competitors, and the memory that they need."""
