"""TorchServe packs, loads and runs the handler of the guide to serving, where it is installed."""

import json
import re
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

import registry

GUIDE = Path(__file__).parents[2] / "docs" / "serving.md"


def request(number, series):
    body = {"name": "body", "value": json.dumps(series).encode(), "contentType": "text/plain"}
    return {"requestId": str(number).encode(), "parameters": [body]}


@pytest.mark.filterwarnings("ignore")
def test_torchserve_packs_loads_and_runs_the_handler(tmp_path, monkeypatch):
    packaging = pytest.importorskip("model_archiver.model_packaging")
    loading = pytest.importorskip("ts.model_loader")
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(
        r"^```python\n([^`]*class ChainHandler[^`]*)^```$", GUIDE.read_text("utf-8"), flags=re.M
    )
    Path("handler.py").write_text(code.partition("\nhandler = ")[0] + "\n")
    folder = registry.checkpoint_path("chainhead-japanese-vowels")
    options = ["--model-name", "vowels", "--version", "1.0", "--handler", "handler.py"]
    monkeypatch.setattr(sys, "argv", ["torch-model-archiver", *options, "--extra-files", str(folder)])
    packaging.generate_model_archive()
    with zipfile.ZipFile("vowels.mar") as archive:
        archive.extractall("served")

    served = str(tmp_path / "served")
    monkeypatch.syspath_prepend(served)
    loader = loading.ModelLoaderFactory.get_model_loader()
    service = loader.load("vowels", served, "handler.py", None, 2, None, metrics_cache=MagicMock())
    service.set_cl_socket(SimpleNamespace())
    said = bytes(service.predict([request(0, [[0.1] * 12] * 20), request(1, [[0.3] * 12] * 9)]))
    assert said.count(b'"label"') >= 2
    said = bytes(service.predict([request(0, [[0.1] * 12] * 20), request(1, [[0.3] * 11])]))
    assert b'"label"' in said
    assert b"11 features per node, expected 12" in said
