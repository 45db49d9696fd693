"""Promise 7: every input leads to a right answer or a clear error."""

import numpy as np
import pytest
import torch
from fuzzing import fuzz
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from transformers import pipeline

from chainhead_plugin import ChainHeadConfig, ChainHeadFeatureExtractor, ChainHeadForSequenceClassification

FEATURES = 2
SMALL = st.floats(-9, 9, width=32)
NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(-9, 9), SMALL, st.booleans())
ODD = [
    object(),
    object,
    {1, 2},
    {"a": 1},
    range(2),
    b"\xff\xfe",
    "\ud800",
    np.datetime64(0, "s"),
    10**400,
    slice(2),
]
THINGS = st.one_of(
    NUMBERS, st.none(), st.text(max_size=5), st.binary(max_size=5), st.complex_numbers(), st.sampled_from(ODD)
)
ROWS = st.one_of(
    st.lists(SMALL, min_size=FEATURES, max_size=FEATURES),
    st.lists(NUMBERS, max_size=3),
    st.lists(THINGS, max_size=3),
)
KINDS = ["f4", "f8", "f2", "i1", "u8", "?", "c8", "S3", "U3", "M8[s]", "m8[s]"]
SHAPES = st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
ARRAYS = st.one_of(
    st.sampled_from(KINDS).flatmap(lambda kind: st_numpy.arrays(kind, SHAPES)),
    st_numpy.arrays("f4", st.tuples(st.integers(0, 4), st.just(FEATURES)), elements=SMALL),
)
SEQUENCES = st.one_of(st.lists(ROWS, max_size=4), ARRAYS, ARRAYS.map(np.ndarray.tolist), THINGS)
INPUTS = st.one_of(SEQUENCES, st.lists(SEQUENCES, max_size=4))


def build(**options):
    torch.manual_seed(0)
    config = ChainHeadConfig(m=FEATURES, n=4, with_multihop=True, h=2, num_labels=3)
    extractor = ChainHeadFeatureExtractor(feature_size=FEATURES)
    model = ChainHeadForSequenceClassification(config).eval()
    return pipeline(
        "time-series-classification",
        model=model,
        feature_extractor=extractor,
        device="cpu",
        top_k=None,
        **options,
    )


CLASSIFIER = build()


def scores(result):
    return {entry["label"]: entry["score"] for entry in result}


def as_right_or_refused(inputs):
    """Return the batch of float32 sequences that `inputs` reads as to NumPy, or None where it is refused."""
    try:
        batch = CLASSIFIER.feature_extractor(inputs, return_tensors="np")
    except (TypeError, ValueError) as error:
        return None if len(str(error)) > 15 else pytest.fail(f"says only {error}")
    return [
        row[mask == 1] for row, mask in zip(batch["input_features"], batch["attention_mask"], strict=True)
    ]


def test_fuzzed_sequences_give_an_error_or_what_they_hold(full):
    accepted = 0

    def check(inputs):
        nonlocal accepted
        sequences = as_right_or_refused(inputs)
        if sequences is None:
            with pytest.raises((TypeError, ValueError)):
                CLASSIFIER(inputs)
            return
        accepted += 1
        assert all(row.dtype == np.float32 and np.isfinite(row).all() and len(row) for row in sequences)
        expected = np.concatenate(
            [np.asarray(row, np.float64).reshape(-1, FEATURES) for row in as_list(inputs)]
        )
        np.testing.assert_array_equal(np.concatenate(sequences), expected.astype(np.float32))
        largest = max(np.abs(row).max() for row in sequences)
        try:
            results = CLASSIFIER(inputs)
        except ValueError as error:
            if largest < 1e36 or "has scores that are not finite" not in str(error):
                raise
            return
        results = results if isinstance(results[0], list) else [results]
        assert len(results) == len(sequences)
        for result in results:
            assert sum(scores(result).values()) == pytest.approx(1, abs=1e-5)

    def as_list(inputs):
        depth = np.asarray(inputs[0] if isinstance(inputs, list) else inputs, dtype=object).ndim
        return inputs if (isinstance(inputs, list) and depth >= 2) or np.ndim(inputs) == 3 else [inputs]

    examples = 10_000 if full else 400
    fuzz(check, INPUTS, examples)
    assert accepted > examples / 50


GOOD = [np.full((length, FEATURES), float(length)) for length in (3, 5, 2, 4, 6, 1)]
BAD = {
    "ragged": [[1.0, 2.0], [3.0]],
    "empty": [],
    "text": "not numbers",
    "bytes": b"\xff\xfe\x00",
    "an image that is broken": b"\x89PNG\r\n\x1a\n\x00",
    "an object": object(),
    "NaN": [[1.0, float("nan")]],
    "infinity": [[1.0, float("inf")]],
    "complex": np.ones((3, FEATURES), dtype=complex),
    "too large for float32": [[1e300, 0.0]],
    "too large for the model": [[3e38, 3e38], [3e38, 3e38]],
    "other features": np.ones((3, FEATURES + 1)),
    "no nodes": np.ones((0, FEATURES)),
    "None": None,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_bad_sequence_is_named_and_costs_the_others_nothing(bad, batch_size):
    inputs = [*GOOD[:4], bad, *GOOD[4:]]
    results = iter(CLASSIFIER((sequence for sequence in inputs), batch_size=batch_size))
    expected = CLASSIFIER(GOOD)
    found = []
    for index in range(len(inputs)):
        if index == 4:
            with pytest.raises((TypeError, ValueError), match=r"^sequence 4\b"):
                next(results)
        else:
            found.append(scores(next(results)))
    assert next(results, None) is None
    for one, other in zip(found, map(scores, expected), strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_sequence_in_a_list_is_named(bad):
    with pytest.raises((TypeError, ValueError), match=r"sequence 4\b"):
        CLASSIFIER([*GOOD[:4], bad], batched=True, batch_size=3)


def test_sequences_that_do_not_fit_together_are_an_error_once():
    with pytest.raises(ValueError, match="make no tensor without padding"):
        list(CLASSIFIER((sequence for sequence in GOOD), batch_size=3, padding=False))


def test_a_million_nodes():
    [result] = CLASSIFIER([np.ones((10**6, FEATURES), dtype=np.float32)])
    # All nodes but the first ones are alike, and so is their mean.
    assert scores(result) == pytest.approx(scores(CLASSIFIER(np.ones((10**4, FEATURES)))), abs=1e-3)


def test_a_configuration_that_asks_for_tuples_serves_too():
    classifier = build()
    classifier.model.config.return_dict = False
    assert classifier(GOOD) == CLASSIFIER(GOOD)
    assert isinstance(classifier.model(torch.ones(1, 3, FEATURES)), tuple)
