"""A trained stack of chain heads, chosen in place of the linear map if it forecasts better at rolling origins."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config.configuration_chainhead import ChainHeadConfig
from ..models.modeling_chainhead_forecast import ChainHeadForTimeSeriesPrediction
from ..tables.errors import counted
from .choosing import Mixture, map_before
from .origins import Fold, Sample, windows_before, windows_within

Array = NDArray[np.float64]

# The stack's width, the width for pasts longer than the next number, and the hops of its layers.
_WIDTH, _NARROW, _LONG, _HOPS = 8, 2, 100, (0, 1, 2)
_RATE, _DECAY, _EPOCHS, _PATIENCE = 3e-3, 0.01, 40, 4
_SMALL_BATCH, _BATCH, _MANY = 16, 64, 500
# The training on all of the time takes the best number of epochs divided by this.
_FURTHER = 4
# The share of the time for the comparison; the rest is for the training on all of the time.
_TRIAL_SHARE = 0.45
_LEAST_FOLDS = 3


@dataclass(frozen=True)
class Trial:
    """The result of trying a stack.

    Attributes
    ----------
    model : ChainHeadForTimeSeriesPrediction, optional
        A point forecaster of one channel in any unit, trained on all of the time; None if the linear map was kept.
    errors : float64 array [forecasts, steps]
        Observed values less forecasts in the last two folds, by the stack that was trained on the time before them,
        divided by the standard deviation of each past. Without rows if the linear map was kept.
    origins : int array [forecasts]
        The step at which each forecast begins, counted from the first time of all series.
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
    """Train a stack that starts at the linear map, and compare the two on the last fold.

    The stack is trained on the time before the last two folds. The first of these folds chooses the number of epochs,
    the second compares the stack with the linear map. The stack is chosen if its mean absolute error is smaller by more
    than the standard error of the difference. It is then trained further on all of the time.

    Parameters
    ----------
    samples : sequence of Sample
        Series scaled to a standard deviation of about 1.
    folds : sequence of Fold
        With fewer than three folds the linear map is kept.
    found : Mixture
        The linear map, and its forecasts in the same folds.
    seasons : sequence of int
        Seasons in steps.
    seconds : float
        Time for everything.
    seed : int
        The seed of the first weights and of the order of windows.

    Returns
    -------
    Trial
    """
    start = time.perf_counter()
    nothing = np.empty((0, found.future.shape[1])), np.empty(0, np.int64)
    if len(folds) < _LEAST_FOLDS:
        return Trial(
            None, *nothing, "the map of the past was kept: the series are too short to try a trained chain on"
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
        # The training continues from the compared weights, for fewer epochs: a new start might end elsewhere.
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
    """Return a sentence that compares a stack with the linear map in a fold, and whether the stack is chosen."""
    past, future, times = judged
    own = np.isin(found.times, times) & (found.times >= fold.begin)
    observed = ~np.isnan(future).all(1)
    by_map = np.nanmean(np.abs(found.forecast[own] - found.future[own])[observed], 1)
    by_stack = np.nanmean(np.abs(trained.forecast(past) - future)[observed], 1)
    leads = by_map - by_stack
    # Forecasts that begin less than a horizon apart predict some of the same values, and so are not independent.
    independent = max(2.0, min(len(leads), (fold.end - fold.begin) / future.shape[1]))
    lead = float(np.nanmean(leads))
    # A single lead has no spread, and says nothing of how sure it is.
    error = float(np.nanstd(leads) / independent**0.5) if len(leads) > 1 else np.inf
    is_better = epochs > 0 and lead > error
    told = (
        f"at {counted(len(leads), 'origin')} that it was not trained on, a trained chain had a mean absolute error of "
        f"{np.nanmean(by_stack):.3g}, the map of the past of {np.nanmean(by_map):.3g} (standard error of the "
        f"difference {f'{error:.2g}' if len(leads) > 1 else 'unknown'}; {epochs} epochs, {spent:.0f} s)"
    )
    return (
        f"a trained chain was chosen: {told}" if is_better else f"the map of the past was kept: {told}"
    ), is_better


class _Training:
    """The training of a stack on the windows before a given time, starting from the linear map."""

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
        """Train on every window once."""
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
