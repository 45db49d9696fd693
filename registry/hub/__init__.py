"""Requests to the Hub, downloads, their checks, and uploads."""
