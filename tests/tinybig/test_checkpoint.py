"""tinyBIG checkpoints are converted to folders that transformers loads, completely or not at all."""

import json
import os
import pickle

import pytest
import torch
from fresh_processes import run_fresh
from safetensors.torch import save_file
from transformers import AutoModel, AutoModelForSequenceClassification
from typer.testing import CliRunner

import chainhead_plugin
from chainhead_plugin.cli import app
from chainhead_plugin.tinybig.checkpoint import convert_checkpoint
from chainhead_plugin.tinybig.conversion import convert_head, convert_model
from chainhead_plugin.tinybig.options import TinyBIGConversionError

HEAD = {"m": 4, "n": 6, "chain_length": 5, "bi_directional": True}
MODEL = {"chain_length": 5, "dims": [3, 4, 2]}


@pytest.fixture
def head_files(tmp_path):
    return _files(tmp_path, HEAD, {"w": torch.randn(1, 24)})


def _files(folder, options, state_dict):
    checkpoint, options_file = folder / "tinybig.pt", folder / "options.json"
    torch.save(state_dict, checkpoint)
    options_file.write_text(json.dumps(options))
    return checkpoint, options_file


def _invoke(checkpoint, options, out, *more, kind="head"):
    arguments = ["convert-tinybig", checkpoint, "--options", options, "--kind", kind, "--out", out, *more]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _registered():
    chainhead_plugin.register()


def test_head(head_files, tmp_path):
    out = tmp_path / "new" / "head"
    result = _invoke(*head_files, out)
    assert result.exit_code == 0, result.output
    assert "ChainHeadModel, 24 weights of torch.float32" in result.output
    assert "last_hidden_state.flatten(1).softmax(-1)" in result.output
    model = AutoModel.from_pretrained(out)
    x = torch.randn(2, 20)
    expected = convert_head(HEAD, torch.load(head_files[0], weights_only=True))(x)
    actual = model(x.unflatten(1, (5, 4))).last_hidden_state.flatten(1).softmax(-1)
    torch.testing.assert_close(actual, expected)
    assert sorted(path.name for path in out.parent.iterdir()) == ["head"]


@pytest.mark.parametrize(("kind", "inputs"), [("rnn", 4), ("regression_rnn", 20)])
def test_models_from_safetensors(tmp_path, kind, inputs):
    state_dict = {
        f"layers.{i}.heads.0.w": torch.randn(1, size) for i, size in enumerate((12, 16, 2 * inputs))
    }
    save_file(state_dict, tmp_path / "model.safetensors")
    _, options = _files(tmp_path, MODEL, {})
    result = _invoke(
        tmp_path / "model.safetensors", options, tmp_path / "out", "--dtype", "float64", kind=kind
    )
    assert result.exit_code == 0, result.output
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert model.dtype == torch.float64
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    expected = convert_model(kind, MODEL, state_dict, torch.float64)(x).logits
    torch.testing.assert_close(model(x).logits, expected)


def test_an_existing_folder_is_replaced_only_if_asked(head_files, tmp_path):
    out = tmp_path / "out"
    assert _invoke(*head_files, out).exit_code == 0
    before = (out / "model.safetensors").read_bytes()
    torch.save({"w": torch.zeros(1, 24)}, head_files[0])
    refused = _invoke(*head_files, out)
    assert refused.exit_code == 1
    assert "exists already" in refused.output
    assert (out / "model.safetensors").read_bytes() == before
    assert _invoke(*head_files, out, "--overwrite").exit_code == 0
    assert not any(parameter.any() for parameter in AutoModel.from_pretrained(out).parameters())


@pytest.mark.parametrize("make", ["folder", "file", "link"])
def test_what_is_no_checkpoint_is_never_replaced(head_files, tmp_path, make):
    out, precious = tmp_path / "out", tmp_path / "precious"
    precious.mkdir()
    if make == "folder":
        out.mkdir()
        (out / "thesis.tex").write_text("all of it")
    elif make == "file":
        out.write_text("all of it")
    else:
        out.symlink_to(precious)
    result = _invoke(*head_files, out, "--overwrite")
    assert result.exit_code == 1
    assert "not a checkpoint folder" in result.output


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failed_write_leaves_everything_as_it_was(head_files, tmp_path, monkeypatch, overwrite):
    out = tmp_path / "out"
    if overwrite:
        convert_checkpoint(*head_files, "head", out)
    before = _contents(tmp_path)

    def half(self, folder):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chainhead_plugin.models.modeling_chainhead.ChainHeadModel.save_pretrained", half)
    with pytest.raises(TinyBIGConversionError, match="No space left"):
        convert_checkpoint(*head_files, "head", out, overwrite=overwrite)
    assert _contents(tmp_path) == before


def _contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Payload:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_pickled_code_is_not_run(head_files, tmp_path, save):
    trace = tmp_path / "trace"
    save({"w": torch.zeros(1, 24), "extra": Payload(trace)}, head_files[0])
    result = _invoke(*head_files, tmp_path / "out")
    assert result.exit_code == 1
    assert "none of which was run" in result.output
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"PK\x03\x04 no zip", b"garbage" * 100, b"{}"])
@pytest.mark.parametrize("name", ["tinybig.pt", "tinybig.safetensors"])
def test_damaged_checkpoints(head_files, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    result = _invoke(tmp_path / name, head_files[1], tmp_path / "out")
    assert result.exit_code == 1
    assert name in result.output
    assert not (tmp_path / "out").exists()


def test_truncated_checkpoint(head_files, tmp_path):
    head_files[0].write_bytes(head_files[0].read_bytes()[:-200])
    result = _invoke(*head_files, tmp_path / "out")
    assert (result.exit_code, "Error: " in result.output) == (1, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "expected an object"),
        ("null", "expected an object"),
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("\xff", "cannot be read as JSON"),
        ('{"m": 4}', "lack 'n'"),
    ],
)
def test_malformed_options(head_files, tmp_path, content, message):
    head_files[1].write_bytes(content.encode("latin-1"))
    result = _invoke(*head_files, tmp_path / "out")
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_a_torch_file_of_something_else(head_files, tmp_path):
    torch.save([torch.zeros(1)], head_files[0])
    result = _invoke(*head_files, tmp_path / "out")
    assert result.exit_code == 1
    assert "holds a list, expected a state dict" in result.output


@pytest.mark.parametrize("more", [["--kind", "lstm"], ["--dtype", "int8"], ["--options", "missing.json"]])
def test_usage_errors(head_files, tmp_path, more):
    assert _invoke(*head_files, tmp_path / "out", *more).exit_code == 2


def test_help_has_an_example():
    result = CliRunner().invoke(app, ["convert-tinybig", "--help"])
    assert result.exit_code == 0
    assert "chainhead convert-tinybig rnn.pt" in result.output


def test_in_a_process_of_its_own(head_files, tmp_path):
    arguments = [
        "convert-tinybig",
        head_files[0],
        "--options",
        head_files[1],
        "--kind",
        "head",
        "--out",
        "out",
    ]
    code = "from chainhead_plugin.cli import main; main()"
    done = run_fresh(code, arguments=arguments, folder=tmp_path, offline=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "config.json").is_file()
    assert "24 weights" in done.stdout
