"""`chainhead plot` draws chains and contributions, for every task."""

import json
import sys

import numpy as np
import pytest
from command_line import CHAINS, TEXTS, as_csv, invoke
from PIL import Image

from chainhead_plugin.cli.demonstration import MODEL


@pytest.mark.parametrize("name", ["sequence", "frames", "features", "hops", "forecast", "text", "image"])
def test_the_chain_is_drawn(name, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert invoke("plot", folders / name).split() == [f"{name}-chain.png"]
    assert (tmp_path / f"{name}-chain.png").read_bytes().startswith(b"\x89PNG")
    assert "exists: choose another name" in invoke("plot", folders / name, code=1)
    invoke("plot", folders / name, "--overwrite", "--length", 3)


EXPLAINED = {
    "sequence": ("0.5,2,3\n4,5,6\n", ["--target", "LABEL_2", "--stage", "output"]),
    "hops": ("id,a,b,c\nx,1,2,3\ny,4,5,6\ny,1,1,1\n", ["--method", "integrated_gradients"]),
    "forecast": ("4\n2\n3\n", ["--target", "2"]),
    "two-forecasts": ("4,2\n3,5\n2,1\n", []),
    "text": ("\n".join(TEXTS), []),
    "tokens": (TEXTS[0], ["--target", "1,LABEL_0"]),
    "frames": ("0.5,2,3\n4,5,6\n", ["--target", "1,LABEL_0"]),
}


@pytest.mark.parametrize(("name", "text", "options"), [(name, *case) for name, case in EXPLAINED.items()])
def test_contributions_are_drawn(name, text, options, folders, tmp_path):
    out = tmp_path / "why.svg"
    invoke("plot", folders / name, "--input", "-", "--out", out, *options, input=text)
    assert "output" in out.read_text("utf-8")


def test_contributions_of_patches_are_drawn(folders, tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / "a.png")
    invoke("plot", folders / "image", "--input", tmp_path / "a.png", "--out", tmp_path / "why.png")
    assert (tmp_path / "why.png").exists()


PLOT_MISTAKES = {
    "a device for the chain": (["--device", "cpu"], 2, "no effect without --input"),
    "length with an input": (["--input", "a.csv", "--length", "3"], 2, "no effect with --input"),
    "target without input": (["--target", "1"], 2, "no effect without --input"),
    "stage without input": (["--stage", "output"], 2, "no effect without --input"),
    "an unknown picture": (["--out", "a.docx"], 1, "cannot draw a.docx"),
    "no such label": (["--input", "a.csv", "--target", "nobody"], 1, "no label 'nobody'"),
    "not affine": (["--input", "a.csv", "--method", "exact"], 1, "not affine, because of with_relu"),
    "too long a chain": (["--length", "2000"], 1, "between 1 and 1,024"),
    "too many": (["--input", "many.jsonl"], 1, "room for 16"),
}


@pytest.mark.parametrize(("options", "code", "message"), PLOT_MISTAKES.values(), ids=PLOT_MISTAKES)
def test_mistakes_in_plots(options, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(as_csv(CHAINS[:1]), "utf-8")
    (tmp_path / "many.jsonl").write_text("\n".join(map(json.dumps, CHAINS * 2)), "utf-8")
    shown = invoke("plot", MODEL, *options, code=code, env={"COLUMNS": "200"})
    assert message in " ".join(shown.split())
    assert not list(tmp_path.glob("*.png"))


def test_plot_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "chainhead_plugin.explain.picture_file", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "needs matplotlib: pip install matplotlib" in invoke("plot", MODEL, code=1)
