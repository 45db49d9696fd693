"""Predictions for many inputs: a job on Ray beside the pipeline's own work."""
