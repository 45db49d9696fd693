"""Forecasts of more steps than the model's horizon."""

import pytest
import torch

from chainhead_plugin.forecasts.rolling import roll_forward

LEVELS = [0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975]
POINTS = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(LEVELS)).double()


def walk(past):
    """Forecast two steps of a random walk, exactly."""
    deviations = torch.tensor([1.0, 2.0**0.5], dtype=torch.float64)
    return past[:, -1:, :, None] + deviations.view(1, 2, 1, 1) * POINTS


def test_the_bands_of_a_random_walk_grow_by_the_square_root():
    past = torch.zeros(2, 5, 1, dtype=torch.float64)
    found = roll_forward(walk, past, 7, LEVELS)
    assert found.shape == (2, 7, 1, len(LEVELS))
    torch.testing.assert_close(found[:, :2], walk(past))
    expected = torch.arange(1, 8, dtype=torch.float64).sqrt().view(1, 7, 1, 1) * POINTS
    torch.testing.assert_close(found, expected.expand_as(found), rtol=0.05, atol=0.02)


def test_bands_of_what_forgets_its_past_stay():
    def forecast(past):
        return (0 * past[:, -1:, :, None] + POINTS).expand(-1, 3, -1, -1)

    found = roll_forward(forecast, torch.zeros(1, 4, 1, dtype=torch.float64), 9, LEVELS)
    torch.testing.assert_close(found, POINTS.expand_as(found), rtol=0.02, atol=0.02)


def test_points_go_on_from_points():
    def forecast(past):
        return past[:, -1:, :, None] + torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)

    found = roll_forward(forecast, torch.zeros(1, 3, 2), 5)
    torch.testing.assert_close(found[0, :, 1, 0], torch.tensor([1.0, 2, 3, 4, 5]))


@pytest.mark.parametrize("steps", [1, 2])
def test_within_the_horizon_nothing_rolls(steps):
    past = torch.randn(1, 5, 1, dtype=torch.float64)
    torch.testing.assert_close(roll_forward(walk, past, steps, LEVELS), walk(past)[:, :steps])
