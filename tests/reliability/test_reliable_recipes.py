"""Recipes by unknown authors: each is trained, or ends in an error before anything is trained."""

import random

import pytest
from recipe_mutations import RAW, RECIPES, mutated, write_data
from typer.testing import CliRunner

from chainhead_plugin.checks.yaml_files import read_yaml
from chainhead_plugin.cli import app
from chainhead_plugin.recipes.training.fitting import trainer as fitting

pytestmark = pytest.mark.filterwarnings("ignore:.*has no field:UserWarning")


class TrainedError(Exception):
    """Raised where training would begin."""


@pytest.fixture
def outcome(tmp_path, monkeypatch):
    """Return a function that gives `chainhead train` a recipe's bytes, and returns "trained" or its message."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)

    def train(*_, **__):
        raise TrainedError

    monkeypatch.setattr(fitting.Trainer, "train", train)
    runs = iter(range(10**6))

    def run(data):
        (tmp_path / "recipe.yaml").write_bytes(data)
        found = CliRunner().invoke(app, ["train", "recipe.yaml", "--output", f"out{next(runs)}"])
        if isinstance(found.exception, TrainedError):
            return "trained"
        assert isinstance(found.exception, SystemExit), repr(found.exception)
        assert found.exit_code == 1, found.output
        return found.output.strip().splitlines()[-1]

    return run


def test_mutated_recipes_are_trained_or_told(outcome, full):
    found = []
    for seed in range(3000 if full else 120):
        base, data = mutated(random.Random(seed))
        try:
            found.append(outcome(data))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, like {base}: {error}\n{data[:2000]}") from error
    # The recipes are close to valid ones, and so some of both are among them.
    assert found.count("trained") > len(found) / 20
    assert sum("recipe.yaml" in message or "Error" in message for message in found) > len(found) / 3


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_are_valid_before_they_are_mutated(outcome, name):
    import yaml

    content = {field: value for field, value in RECIPES[name].items() if value is not None}

    assert outcome(yaml.safe_dump(content).encode()) == "trained"


@pytest.mark.parametrize("number", range(len(RAW)))
def test_whatever_yaml_can_hold_is_read_or_told_with_its_file(tmp_path, number):
    file = tmp_path / "recipe.yaml"
    file.write_bytes(RAW[number])
    told = ""
    try:
        read_yaml(file)
    except ValueError as error:
        told = str(error)
    assert not told or told.startswith(str(file))
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nname: b", "line 1 is no YAML: 'name' is there twice"),
        ("a:\n  b: 2020-02-30", "line 2 is no YAML: timestamp cannot be read"),
        ("a:\n  b: [1, 2020-02-28]", "a.b[1] is date 2020-02-28, expected text"),
        ("? 2020-02-28\n: 1", "a name in it is date 2020-02-28"),
        ("a: &a [*a]", "nested too deep"),
        ("a: !!set {b}", "a is set"),
        ("a: 36893488147419103232", "a is a whole number of more than 64 bits"),
        ("a: [" * 2000, "nested too deep"),
    ],
)
def test_yaml_is_refused_by_field(tmp_path, text, message):
    file = tmp_path / "recipe.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(ValueError, match=r"recipe\.yaml") as error:
        read_yaml(file)
    assert message in str(error.value)
