"""Checks properties on random inputs."""

from hypothesis import HealthCheck, given, settings


def fuzz(test, inputs, examples):
    """Run a property over so many inputs of a strategy, the same ones every time."""
    checked = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    checked(given(inputs)(test))()
