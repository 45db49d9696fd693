"""Scripts that know nothing of plugins, with plugins: for a single command, or in a whole environment."""
