"""Code in a model's folder does not run, and piped input does not count as permission to run it."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from command_line import invoke
from fresh_processes import run_fresh
from PIL import Image

import chainhead_plugin as c
from chainhead_plugin.answering.records import read_records
from chainhead_plugin.answering.wanted import Wanted
from chainhead_plugin.inputs.image_files import IMAGE_FORMATS

MARK = "import pathlib\npathlib.Path({mark!r}).write_text(__name__)\n"
POISON = (
    MARK
    + """
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
class Config(PreTrainedConfig):
    model_type = "unheard-of"
class Model(PreTrainedModel):
    config_class = Config
class Tokenizer(PreTrainedTokenizerFast):
    pass
"""
)
AUTO_MAP = {
    "AutoConfig": "poison.Config",
    "AutoModel": "poison.Model",
    "AutoModelForSequenceClassification": "poison.Model",
    "AutoTokenizer": ["poison.Tokenizer", None],
}
ANSWER = "y\nyes\n0.1,0.2,0.3\n"


@pytest.fixture
def mark(tmp_path):
    """The file that poisoned code would write."""
    return tmp_path / "mark"


@pytest.fixture
def unknown(tmp_path, folders, mark):
    """A model of a type that nobody here knows, with poisoned code; all of its other files are in order."""
    folder = tmp_path / "unknown"
    folder.mkdir()
    for file in (folders / "sequence").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"model_type": "unheard-of", "auto_map": AUTO_MAP})
    )
    (folder / "poison.py").write_text(POISON.format(mark=str(mark)))
    return folder


@pytest.fixture
def known(tmp_path, folders, mark):
    """A chainhead model that carries poisoned code, for its preprocessors too."""
    folder = tmp_path / "known"
    folder.mkdir()
    for file in (folders / "sequence").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    for name, classes in (
        ("config.json", AUTO_MAP),
        ("preprocessor_config.json", {"AutoFeatureExtractor": "poison.X"}),
    ):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | {"auto_map": classes}))
    (folder / "poison.py").write_text(POISON.format(mark=str(mark)))
    return folder


@pytest.fixture
def run(tmp_path):
    """A function that runs the command in a process of its own, with permissions in its standard input."""
    answers = tmp_path / "answers"
    answers.write_text(ANSWER)

    def start(*arguments):
        code = "from chainhead_plugin.cli import main; main()"
        return run_fresh(code, arguments=arguments, offline=True, stdin=answers)

    return start


def test_the_poison_works(unknown, mark):
    from transformers import AutoConfig

    AutoConfig.from_pretrained(unknown, trust_remote_code=True)
    assert mark.read_text().startswith("transformers_modules.")


@pytest.mark.parametrize("command", ["predict", "plot", "explain"])
def test_code_that_would_be_needed_is_refused(command, run, unknown, mark, tmp_path):
    row = tmp_path / "row.csv"
    row.write_text("0.1,0.2,0.3\n")
    done = {
        "predict": lambda: run("predict", unknown, "-", "--format", "csv"),
        "plot": lambda: run("plot", unknown, "--out", tmp_path / "chain.png"),
        "explain": lambda: run("plot", unknown, "--out", tmp_path / "why.png", "--input", row),
    }[command]()
    assert done.returncode == 1, done.stderr
    assert "needs code that comes with it, which is never run here" in done.stderr
    assert "Traceback" not in done.stderr
    assert "[y/N]" not in done.stdout + done.stderr
    assert not mark.exists()


def test_models_that_the_plugin_knows_run_without_the_code_they_carry(known, mark, tmp_path, folders):
    row = tmp_path / "row.csv"
    row.write_text("0.1,0.2,0.3\n")
    assert invoke("predict", known, row, "--json") == invoke("predict", folders / "sequence", row, "--json")
    invoke("plot", known, "--out", tmp_path / "chain.png")
    assert not mark.exists()


def test_evaluation_runs_no_code(unknown, known, mark):
    from chainhead_plugin.recipes.recipe_files import load_recipe
    from chainhead_plugin.recipes.results.evaluation import evaluate

    recipe = load_recipe("chainhead-japanese-vowels")
    with pytest.raises(ValueError, match="needs code that comes with it, which is never run here"):
        evaluate(str(unknown), recipe)
    with pytest.raises(ValueError, match="labels"):
        evaluate(str(known), recipe)
    assert not mark.exists()


def test_encoders_of_recipes_run_no_code(unknown, mark):
    from types import SimpleNamespace

    from chainhead_plugin.recipes.pretrained.encoder import load_encoder
    from chainhead_plugin.recipes.recipe import RecipeError

    with pytest.raises(RecipeError, match="needs code that comes with it, which is never run here"):
        load_encoder(
            SimpleNamespace(
                encoder={"folder": str(unknown)}, folder=unknown, task=SimpleNamespace(reads="text")
            )
        )
    assert not mark.exists()


def test_no_video_processor_is_made_of_carried_code(folders, tmp_path, mark):
    from transformers import AutoVideoProcessor

    folder = tmp_path / "image"
    folder.mkdir()
    for file in (folders / "image").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    content = json.loads((folder / "preprocessor_config.json").read_text())
    named = {"AutoImageProcessor": "poison.PoisonImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(content | {"auto_map": named}))
    (folder / "poison.py").write_text(MARK.format(mark=str(mark)) + "class PoisonVideoProcessor: ...\n")
    for options in ({}, {"trust_remote_code": False}, {"trust_remote_code": True}):
        with pytest.raises(ValueError, match="has no video processor of transformers"):
            AutoVideoProcessor.from_pretrained(folder, **options)
    assert isinstance(c.ChainHeadImageProcessor.from_pretrained(folder), c.ChainHeadImageProcessor)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["EPS", "PPM", "PDF", "ICO"])
def test_other_image_formats_are_refused_before_they_are_opened(kind, monkeypatch):
    stream = io.BytesIO()
    Image.new("RGB", (20, 20)).save(stream, kind)
    opened = []

    def watch(command, *arguments, **options):
        opened.append(command)
        raise AssertionError(f"started {command}")

    monkeypatch.setattr(subprocess, "Popen", watch)
    with pytest.raises(ValueError, match="expected one of PNG, JPEG, WEBP, GIF, BMP, TIFF"):
        list(read_records(Path("-"), Wanted(kind="image"), stream.getvalue()))
    assert not opened


@pytest.mark.parametrize("kind", IMAGE_FORMATS)
def test_image_formats_that_are_read(kind):
    stream = io.BytesIO()
    Image.new("RGB", (8, 6), (10, 20, 30)).save(stream, kind)
    [record] = read_records(Path("-"), Wanted(kind="image"), stream.getvalue())
    assert record.data.size == (8, 6)
