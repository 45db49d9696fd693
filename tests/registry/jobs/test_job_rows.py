"""Rows of a job get results in the input's order, from batches of equal length, or the reason why not."""

import pytest

from registry.jobs.engines import chunks
from registry.jobs.rows import ClashError, RowError, answered
from registry.jobs.work import JobOptions, Row


class Lengths:
    """Tells the length of texts, notes its batches, and fails on a batch with a text that says so."""

    def __init__(self):
        self.batches = []

    def prepare(self, data):
        if data == "unreadable":
            raise KeyError("pixels")
        return data.upper()

    def size(self, prepared):
        return len(prepared)

    def answer(self, batch):
        self.batches.append(batch)
        if "MEMORY" in batch:
            raise MemoryError
        if "BAD" in batch:
            raise RuntimeError("shapes differ")
        return [len(text) for text in batch]

    def cells(self, row, result):
        return [{"length": result, "part": part} for part in range(2 if row.data == "twice" else 1)]


def rows(*texts):
    return [Row(text, {"key": place}) for place, text in enumerate(texts)]


def test_batches_hold_inputs_of_equal_length_and_results_the_order_of_the_input():
    model = Lengths()
    found = answered(model, rows("aaaa", "b", "cccc", "dd", "e"), JobOptions(batch_size=2))
    assert model.batches == [["B", "E"], ["DD", "AAAA"], ["CCCC"]]
    assert [(row["key"], row["length"]) for row in found] == [(0, 4), (1, 1), (2, 4), (3, 2), (4, 1)]


def test_a_row_that_fails_has_its_reason_and_the_rest_of_its_batch_results():
    given = [*rows("good", "bad", "unreadable", "fine"), Row(None, {"key": 4}, "the line is cut off")]
    found = answered(Lengths(), given, JobOptions(batch_size=3))
    assert [row["error"] for row in found] == [
        None,
        "RuntimeError: shapes differ",
        "KeyError: 'pixels'",
        None,
        "the line is cut off",
    ]
    assert [row.get("length") for row in found] == [4, None, None, 4, None]
    assert [row["key"] for row in found] == [0, 1, 2, 3, 4]


def test_a_row_that_fails_ends_the_job_if_it_was_told_to():
    with pytest.raises(RowError, match="row 102: RuntimeError: shapes differ"):
        answered(Lengths(), rows("good", "bad"), JobOptions(on_error="raise"), first=100)


def test_too_little_memory_is_no_fault_of_a_row():
    with pytest.raises(MemoryError, match="smaller batch size"):
        answered(Lengths(), rows("good", "memory"), JobOptions())


def test_a_result_may_be_several_rows():
    found = answered(Lengths(), rows("a", "twice"), JobOptions())
    assert [(row["key"], row["part"]) for row in found] == [(0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize("name", ["length", "error"])
def test_columns_of_the_input_are_not_overwritten(name):
    with pytest.raises(ClashError, match=name):
        answered(Lengths(), [Row("a", {name: 1})], JobOptions())


@pytest.mark.parametrize(
    "values", [{"batch_size": 0}, {"part_rows": 1.5}, {"on_error": "skip"}, {"file_format": "csv"}]
)
def test_options_are_checked(values):
    with pytest.raises(ValueError, match=f"{next(iter(values))} is"):
        JobOptions(**values)


class Source:
    """A source of rows that count their own place, and hold many numbers each."""

    def sources(self):
        return ["the source"]

    def rows(self, source):
        for place in range(7):
            yield Row("", {"place": place}, values=chunks._MOST_VALUES // 2)


@pytest.mark.parametrize("part_rows", [1, 2, 1000])
def test_chunks_know_their_first_row_also_where_they_end_early(part_rows):
    *cut, end = chunks.chunks_of(Source(), 0, JobOptions(part_rows=part_rows))
    assert [chunk.number for chunk in cut] == list(range(end.number))
    assert [row.fields["place"] for chunk in cut for row in chunk.rows] == list(range(7))
    assert [chunk.first for chunk in cut] == [chunk.rows[0].fields["place"] for chunk in cut]
    assert {len(chunk.rows) for chunk in cut[:-1]} == {min(part_rows, 3)}
