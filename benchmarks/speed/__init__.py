"""How fast chains are beside what they compete with, and what they need of memory."""
