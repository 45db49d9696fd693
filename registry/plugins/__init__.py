"""Plugins and their models: found through entry points, checked, loaded. No torch."""
