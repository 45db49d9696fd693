"""Scripts that know nothing of plugins, with plugins: for one command, or in a whole environment."""
