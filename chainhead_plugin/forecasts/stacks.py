"""A trained chain stack beside the map of the past, taken where it forecasts better at rolling origins."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config.configuration_chainhead import ChainHeadConfig
from ..models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from .choosing import Mixture, map_before
from .origins import Fold, Sample, windows_before, windows_within

Array = NDArray[np.float64]

# Widths of the stack, by how long the past is, and what its layers take in.
_WIDTH, _NARROW, _LONG, _HOPS = 8, 2, 100, (0, 1, 2)
_RATE, _DECAY, _EPOCHS, _PATIENCE = 3e-3, 0.01, 40, 4
_SMALL_BATCH, _BATCH, _MANY = 16, 64, 500
# The last training takes this part of the epochs, on everything.
_FURTHER = 4
# Share of the time for finding out; the rest is for training it on everything.
_TRIAL_SHARE = 0.45
_LEAST_FOLDS = 3


@dataclass(frozen=True)
class Trial:
    """What came of a stack.

    Attributes
    ----------
    model : ChainHeadForTimeSeriesPrediction, optional
        A point forecaster of one channel in any unit, trained on everything; None where the map is kept.
    errors : float64 array [forecasts, steps]
        Of forecasts of the last two folds by what was trained on the time before them, in deviations of each past.
    origins : int array [forecasts]
    reason : str
        A sentence for the user.
    """

    model: ChainHeadForTimeSeriesPrediction | None
    errors: Array
    origins: NDArray[np.int64]
    reason: str


def try_stack(
    samples: Sequence[Sample],
    folds: Sequence[Fold],
    found: Mixture,
    seasons: Sequence[int],
    seconds: float,
    seed: int,
) -> Trial:
    """Train a stack that starts at the map, and take it if its lead at the last fold exceeds its standard error.

    It is trained on what lies before the last two folds; the first of these says for how long, the second compares.

    Parameters
    ----------
    samples : sequence of Sample
    folds : sequence of Fold
    found : Mixture
        The map, which forecast the same origins by what was fitted to the time before each fold.
    seasons : sequence of int
    seconds : float
        For all of it.
    seed : int
    """
    start = time.perf_counter()
    nothing = np.empty((0, found.future.shape[1])), np.empty(0, np.int64)
    if len(folds) < _LEAST_FOLDS:
        return Trial(
            None, *nothing, "the map of the past was kept: too short a time to try a trained chain on"
        )
    past, horizon = found.weight.shape
    stop, judge = folds[-2:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trained = _Training(
            samples, stop.begin, past, horizon, map_before(samples, found, horizon, seasons, stop.begin)
        )
        validation = windows_within(samples, stop, past, horizon)
        best, epochs, at = trained.error(*validation[:2]), 0, trained.weights()
        limit = start + _TRIAL_SHARE * seconds
        for epoch in range(1, _EPOCHS + 1):
            if epoch - epochs > _PATIENCE or time.perf_counter() > limit:
                break
            trained.epoch()
            error = trained.error(*validation[:2])
            if error < best:
                best, epochs, at = error, epoch, trained.weights()
        trained.model.load_state_dict(at)
        judged = windows_within(samples, judge, past, horizon)
        reason, is_better = _compared(trained, judged, found, judge, epochs, time.perf_counter() - start)
        if not is_better:
            return Trial(None, *nothing, reason)
        errors, origins = [], []
        for windows in (validation, judged):
            scale = windows[0].std(1, keepdims=True)
            rest = windows[1] - trained.forecast(windows[0])
            errors.append(np.where(scale > 0, rest / np.where(scale > 0, scale, 1), np.nan))
            origins.append(windows[2])
        # From the weights that were compared on, for a shorter time: a new start might end elsewhere.
        whole = _Training(samples, judge.end, past, horizon, found.weight)
        whole.model.load_state_dict(at)
        for _ in range(-(-epochs // _FURTHER)):
            whole.epoch()
    return Trial(whole.model.eval(), np.concatenate(errors), np.concatenate(origins).astype(np.int64), reason)


def _compared(
    trained: "_Training",
    judged: tuple[Array, Array, NDArray[np.intp]],
    found: Mixture,
    fold: Fold,
    epochs: int,
    spent: float,
) -> tuple[str, bool]:
    """Return in words how a stack compares with the map at the origins of a fold, and whether it is taken."""
    past, future, times = judged
    own = np.isin(found.times, times) & (found.times >= fold.begin)
    observed = ~np.isnan(future).all(1)
    by_map = np.nanmean(np.abs(found.forecast[own] - found.future[own])[observed], 1)
    by_stack = np.nanmean(np.abs(trained.forecast(past) - future)[observed], 1)
    leads = by_map - by_stack
    # Forecasts nearer to each other than the horizon share what comes.
    independent = max(2.0, min(len(leads), (fold.end - fold.begin) / future.shape[1]))
    lead, error = float(np.nanmean(leads)), float(np.nanstd(leads) / independent**0.5)
    is_better = epochs > 0 and lead > error
    told = (
        f"at {len(leads)} origins that it was not trained on a trained chain had {np.nanmean(by_stack):.3g} as mean "
        f"absolute error, the map of the past {np.nanmean(by_map):.3g} (standard error of the difference {error:.2g}; "
        f"{epochs} epochs, {spent:.0f} s)"
    )
    return (
        f"a trained chain was chosen: {told}" if is_better else f"the map of the past was kept: {told}"
    ), is_better


class _Training:
    """A stack that is trained on the windows before a time, from the map on."""

    def __init__(self, samples: Sequence[Sample], end: int, past: int, horizon: int, weight: Array) -> None:
        config = ChainHeadConfig(
            m=1,
            hidden_sizes=[_WIDTH if past <= _LONG else _NARROW],
            channel_hops=list(_HOPS),
            enable_bias=True,
            pooling="flatten",
            chain_length=past,
            prediction_length=horizon,
            loss="mae",
            with_linear_path=True,
            interpolate_missing=True,
        )
        self.model = ChainHeadForTimeSeriesPrediction(config)
        with torch.no_grad():
            path = self.model.linear_path
            assert path is not None
            path.map.weight.copy_(torch.from_numpy(weight.T.copy()))
            for parameter in (path.map.bias, self.model.forecaster.weight, self.model.forecaster.bias):
                parameter.zero_()
        blocks = list(windows_before(samples, end, past, horizon).blocks())
        self._past = torch.cat([torch.from_numpy(block[0]).float() for block in blocks])
        self._future = torch.cat([torch.from_numpy(block[1]).float() for block in blocks])
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=_RATE, weight_decay=_DECAY)

    def epoch(self) -> None:
        """Take every window once."""
        self.model.train()
        size = _BATCH if len(self._past) > _MANY else _SMALL_BATCH
        for rows in torch.split(torch.randperm(len(self._past)), size):
            loss = self.model(self._past[rows], future_values=self._future[rows]).loss
            assert isinstance(loss, Tensor)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            self._optimizer.zero_grad()

    def forecast(self, past: Array) -> Array:
        """Return forecasts [windows, steps]."""
        self.model.eval()
        with torch.inference_mode():
            found: Array = self.model(torch.from_numpy(past).float()).prediction_outputs.double().numpy()
        return found

    def error(self, past: Array, future: Array) -> float:
        """Return the mean absolute error."""
        return float(np.nanmean(np.abs(self.forecast(past) - future)))

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights."""
        return {name: tensor.clone() for name, tensor in self.model.state_dict().items()}


__all__ = ["Trial", "try_stack"]
