"""Training of the default classifier or regressor on a table of series, and its test on other series."""

import time
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...recipes.data.splits import held_out_rows
from ...recipes.errors import RecipeError
from ...tables.errors import TableError, TextColumnError, listed
from ...tables.loading import load
from ...tables.matching import load_matched
from ...tables.schema import Schema, schema_of
from ...tables.series import Series, SeriesSet
from ...tables.summarising import summary
from ..ahead.training import TrainedForecaster, train_forecaster
from ..classifier import ChainHeadClassifier
from ..regressor import ChainHeadRegressor
from .features import check_no_empty, told_codes, told_constant
from .label import check_series_named, labelled_alike, labelled_by_texts
from .plan import TablePlan, Task

# Labels that are whole numbers are classes if there are at most this many of them, each with at least this many series.
_MOST_CLASSES, _LEAST_SERIES = 20, 3


@dataclass(frozen=True)
class TrainedOnTable:
    """A classifier or regressor trained by a plan, and its scores.

    Attributes
    ----------
    plan : TablePlan
        The plan, completed by everything that was guessed.
    estimator : ChainHeadClassifier or ChainHeadRegressor
    schema : Schema, optional
        The column names by which later tables are matched; None if the columns have no names.
    said : list of str
        Sentences for the user on the data, the guesses and the choices.
    train, test : int
        Number of series in the training part and in the test part.
    left_out : float
        Accuracy, or R², on training series, each predicted by a model that was not fitted to it.
    scores : dict of float by str
        Scores of the test part; empty without a test part.
    seconds : float
        Time of training and test.
    """

    plan: TablePlan
    estimator: ChainHeadClassifier | ChainHeadRegressor
    schema: Schema | None
    said: list[str]
    train: int
    test: int
    left_out: float
    scores: dict[str, float]
    seconds: float


def train_on_table(plan: TablePlan) -> TrainedOnTable | TrainedForecaster:
    """Read a plan's table, fit the default model to it, and test it.

    If the plan names no task, a table with times and without labels is for forecasting.

    Parameters
    ----------
    plan : TablePlan

    Returns
    -------
    TrainedOnTable or TrainedForecaster

    Raises
    ------
    ValueError
        If the table cannot be read, has no labels or misses values; the message says what to do. A `TableError` is a
        ValueError too.
    """
    if plan.test is not None and plan.test.exists() and plan.data.exists() and plan.test.samefile(plan.data):
        raise ValueError(
            f"--test: {plan.test} is the table to train on, which cannot test its model: name another table, or "
            "hold a share of this table out with --test-share 0.2"
        )
    found = _read(plan)
    if plan.task == "forecasting" or (plan.task is None and _is_to_forecast(found)):
        return train_forecaster(plan, found)
    said = [summary(found)]
    if not found.is_labelled:
        names = found.columns.nodes or found.features
        columns = listed(names) if found.has_names else "1, 2, …, as there is no row of names"
        raise ValueError(
            f"{plan.data}: there is no column of labels: name it with --label (the columns are {columns}); or to "
            "forecast what follows the last row: --task forecasting, and --time, unless rows stand in the order of time"
        )
    if found.columns.spec.label_of != "series" or len(found[0].labels) != 1:
        raise ValueError(f"{plan.data}: expected one label for every series")
    if found.known:
        raise ValueError(
            f"{plan.data}: known ({listed(found.known)}) has no effect on series with labels, whose models take "
            "features alone"
        )
    found.check_observed()
    schema = schema_of(found)
    check_no_empty(found)
    said += told_constant(found)
    said += told_codes(found)

    task = plan.task or _guess_task(found)
    if plan.task is None:
        said.append(f"task: {task}, as the labels tell (otherwise: --task)")
    train, test = _parts(plan, found, schema, task)
    _check_train(plan, train, task)
    if plan.test is not None:
        said.append(f"test: {len(test)} series of {plan.test}")
    elif test:
        said.append(f"test: {len(test)} of {len(found)} series, drawn with seed {plan.seed}")
    if task == "classification":
        known, tested = ({series.labels[0] for series in part} for part in (train, test))
        if test and (untested := sorted(known - tested)):
            said.append(f"test: no series has the label {listed(untested)}, so that it is not tested")
        if foreign := sorted(tested - known):
            said.append(
                f"test: no series to train on has the label {listed(foreign)}, so series with it count as errors"
            )

        lonely = [label for label, count in Counter(one.labels[0] for one in train).items() if count == 1]
        if lonely:
            said.append(
                f"labels: {len(lonely)} of {len(known)} have a single series to train on "
                f"({listed(sorted(lonely), 4)}), whose prediction counts as wrong in the score of series that the "
                "model was not fitted to"
            )

    start = time.perf_counter()
    kind = ChainHeadClassifier if task == "classification" else ChainHeadRegressor
    if task == "regression" and "seconds" in plan.options:
        raise ValueError(
            "time (--minutes, or seconds in a plan) is for classes: there is no trained stack that predicts numbers"
        )
    try:
        estimator = kind(random_state=plan.seed, **plan.options)
    except TypeError as error:
        raise ValueError(
            f"{kind.__name__} does not take the options {dict(plan.options)}: {error}"
        ) from error
    with warnings.catch_warnings():
        # The sentences in `said` tell of labels with few series already, in the words of tables.
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        estimator.fit([one.values.T for one in train], _labels(train, task))
    scores = _scores(estimator, test, task) if test else {}
    seconds = time.perf_counter() - start
    full = replace(plan, task=task, table=found.columns.spec)
    return TrainedOnTable(
        full,
        estimator,
        schema,
        said,
        len(train),
        len(test),
        float(estimator.left_out_score_),
        scores,
        seconds,
    )


def _read(plan: TablePlan) -> SeriesSet:
    """Return a plan's table. In a table to forecast, a step without a row is a missing value."""
    with_gaps = replace(plan.table, gaps=plan.table.gaps or "missing")
    if plan.task == "forecasting":
        found = load(str(plan.data), with_gaps, plan.reading)
        if labels := found.columns.spec.label:
            remedy = "leave out --label, and the column" if plan.table.label else "leave the column out"
            raise ValueError(
                f"{plan.data}: labels ({listed(labels)}) have no effect on forecasts, which learn from past values: "
                f"{remedy} (--drop {','.join(labels)})"
            )
        return found
    try:
        found = load(str(plan.data), plan.table, plan.reading)
    except TableError as error:
        if isinstance(error, TextColumnError):
            check_series_named(plan, error)
            if not plan.table.label:
                return labelled_by_texts(plan, error)
        if plan.task is None and plan.table.gaps is None:
            with suppress(TableError):
                found = load(str(plan.data), with_gaps, plan.reading)
                if _is_to_forecast(found):
                    return found
        raise

    if plan.task is None and _is_to_forecast(found) and found.step is None:
        # The forecaster fills gaps in every later table, which times without a step do not let it do.
        return load(str(plan.data), with_gaps, plan.reading)
    return found


def _is_to_forecast(found: SeriesSet) -> bool:
    return not found.is_labelled and found.clock is not None


def _guess_task(found: SeriesSet) -> Task:
    texts = [series.labels[0] for series in found]
    numbers = [found.number_of(text) for text in texts]
    if any(number is None for number in numbers):
        return "classification"
    if not all(float(number or 0).is_integer() for number in numbers):
        return "regression"
    counts = Counter(texts)
    if len(counts) <= _MOST_CLASSES and min(counts.values()) >= _LEAST_SERIES:
        return "classification"
    raise ValueError(
        f"the labels are {len(counts)} different whole numbers for {len(texts)} series, which may be classes or "
        "values: say --task classification or --task regression"
    )


def _parts(
    plan: TablePlan, found: SeriesSet, schema: Schema | None, task: Task
) -> tuple[SeriesSet, SeriesSet]:
    """Return the series of the training part and of the test part."""
    if plan.test is not None:
        other = (
            load(str(plan.test), plan.table, plan.reading)
            if schema is None
            else load_matched(str(plan.test), schema, plan.reading, labelled=True)
        )
        if not other.is_labelled:
            raise ValueError(f"{plan.test}: there is no column of labels to test by")
        other.check_observed()
        return found, other if task == "regression" else labelled_alike(found, other)
    if plan.test_share is None:
        return found, replace(found, series=())
    rows = _drawn(plan.test_share, plan.seed, found.series, task)
    train = tuple(series for row, series in enumerate(found) if row not in rows)
    test = tuple(found.series[row] for row in sorted(rows))
    return replace(found, series=train), replace(found, series=test)


def _drawn(share: float, seed: int, series: Sequence[Series], task: Task) -> set[int]:
    """Return the indices of the test series: whole groups, or without groups the same share of every class."""
    groups = np.array([one.group for one in series]) if any(one.group for one in series) else None
    is_classes = task == "classification"
    labels = [frozenset(one.labels if is_classes else ()) for one in series]
    try:
        return set(held_out_rows(labels, groups, share, seed, stratified=is_classes).tolist())
    except RecipeError as error:
        raise ValueError(f"--test-share: {error}") from error


def _check_train(plan: TablePlan, train: Sequence[Series], task: Task) -> None:
    """Raise if the training part has too few series or labels."""
    if len(train) < 2:
        raise ValueError(
            f"{plan.data}: {len(train)} series to train on, expected at least 2; --series names the columns that "
            "tell series apart"
        )
    if task != "classification":
        return
    labels = {series.labels[0] for series in train}
    if len(labels) == 1:
        raise ValueError(
            f"{plan.data}: all {len(train)} series to train on have the label {labels.pop()!r}, expected at least two "
            "labels to tell apart; --label names their column"
        )
    if len(labels) == len(train):
        raise ValueError(
            f"{plan.data}: each of the {len(train)} series to train on has a label of its own "
            f"({listed(sorted(labels), 4)}), expected several series for a label; --label names their column, and "
            "--task regression learns numbers"
        )


def _labels(series: SeriesSet, task: Task) -> NDArray[Any]:
    if unlabelled := [one.place for one in series if not one.labels[0].strip()]:
        count = f", nor have {len(unlabelled) - 1:,} others" if len(unlabelled) > 1 else ""
        raise ValueError(f"{unlabelled[0]} has no label{count}: fill it in, or leave the series out")
    if task == "classification":
        return np.array([one.labels[0] for one in series])
    numbers = [series.number_of(one.labels[0]) for one in series]
    for one, number in zip(series, numbers, strict=True):
        if number is None:
            raise ValueError(
                f"{one.place} has the label {one.labels[0]!r}, expected a number for a regression"
            )
    return np.array(numbers, np.float64)


def _scores(
    estimator: ChainHeadClassifier | ChainHeadRegressor, test: SeriesSet, task: Task
) -> dict[str, float]:
    from sklearn import metrics

    labels, nodes = _labels(test, task), [one.values.T for one in test]
    answers = estimator.predict(nodes)
    if task == "classification":
        return {
            "accuracy": float(metrics.accuracy_score(labels, answers)),
            "macro_f1": float(metrics.f1_score(labels, answers, average="macro")),
        }
    error = {"rmse": float(metrics.root_mean_squared_error(labels, answers))}
    # R² needs the variance of the labels, and so at least two of them.
    return {"r2": float(metrics.r2_score(labels, answers))} | error if len(test) > 1 else error
