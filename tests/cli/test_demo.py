"""`chainhead demo`, and the help of the command line."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.cli.demonstration import predict


def invoke(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_demo_shows_a_prediction_for_every_shipped_chain():
    result = invoke("demo")
    assert result.exit_code == 0, result.output
    predictions = predict()
    assert result.output.count("speaker") >= 2 * len(predictions)
    right = sum(prediction.predicted == prediction.label for prediction in predictions)
    assert f"{right} of {len(predictions)} right" in result.output
    assert right >= len(predictions) - 1


def test_demo_draws_a_picture(tmp_path):
    result = invoke("demo", "--picture", str(tmp_path / "demo.png"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written(tmp_path):
    result = invoke("demo", "--picture", str(tmp_path / "nowhere" / "demo.png"))
    assert result.exit_code == 1
    assert "there is no folder" in result.output
    result = invoke("demo", "--picture", str(tmp_path / "demo.docx"))
    assert result.exit_code == 1
    assert "cannot draw" in result.output


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = invoke("demo", "--picture", "demo.png")
    assert result.exit_code == 1
    assert "needs matplotlib: pip install" in result.output


@pytest.mark.parametrize("arguments", [[], ["demo"], ["convert-tinybig"]])
def test_help(arguments):
    result = invoke(*arguments, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_imports_no_torch():
    code = (
        "import sys, chainhead_plugin.cli\n"
        "from typer.testing import CliRunner\n"
        "CliRunner().invoke(chainhead_plugin.cli.app, ['--help'])\n"
        "assert not {'torch', 'transformers', 'matplotlib'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
