"""Checks of single values: a valid value is returned unchanged, and messages say what was expected."""

import math

import pytest

from chainhead_plugin.checks.values import check_choice, check_number, check_switch, check_whole_number


def test_values_that_are_right_come_back():
    assert check_whole_number("size", 3, 3, 3) == 3
    assert check_number("share", 0.5, above=0, below=1) == 0.5
    assert check_switch("causal", False) is False
    assert check_choice("kind", "", ("a", "")) == ""
    assert check_choice("kind", None, ("a", None)) is None


@pytest.mark.parametrize(
    ("check", "error", "message"),
    [
        (
            lambda: check_whole_number("top", 0, 1, reason="None stands for all"),
            ValueError,
            "^top must be a whole number of at least 1, got 0: None stands for all$",
        ),
        (
            lambda: check_whole_number("top", True),
            TypeError,
            "^top must be a whole number, got True of type bool$",
        ),
        (lambda: check_number("rate", math.inf), ValueError, "^rate must be a finite number, got inf$"),
        (lambda: check_number("rate", 10**400), ValueError, "^rate must be a finite number, got 10{79}$"),
        (lambda: check_switch("causal", 1), TypeError, "^causal must be True or False, got 1 of type int$"),
        (
            lambda: check_choice("kind", "c", ("a", "", None)),
            ValueError,
            "^kind must be one of a, '', None, got 'c'$",
        ),
        (lambda: check_choice("kind", None, ("a", "b")), ValueError, "^kind must be one of a, b, got None$"),
        (
            lambda: check_choice("kind", ["a"], ("a", "b")),
            ValueError,
            "^kind must be one of a, b, got \\['a'\\]$",
        ),
    ],
)
def test_messages(check, error, message):
    with pytest.raises(error, match=message):
        check()
