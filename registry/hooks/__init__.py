"""Ways into other libraries: calls that follow the import of their modules, and functions around their functions."""
