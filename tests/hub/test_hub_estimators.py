"""Estimators on the Hub: pushed with everything that they need, and loaded by name with the same answers."""

import numpy as np
from hub_client import run_client

from chainhead_plugin.estimators import ChainHeadSegmenter

PUSH = """
import numpy as np
from chainhead_plugin.estimators import ChainHeadSegmenter
from transformers import pipeline
fitted = ChainHeadSegmenter.from_pretrained(FOLDER)
commit = fitted.push_to_hub("me/phases", license="apache-2.0").oid
again = fitted.push_to_hub("me/phases", license="apache-2.0").oid
loaded = ChainHeadSegmenter.from_pretrained("me/phases", revision=commit)
series = [np.sin(np.arange(25.0))]
nodes = pipeline("time-series-segmentation", model="me/phases")(series[0][:, None])
result = {
    "commits": len({commit, again}),
    "same": np.array_equal(loaded.predict_proba(series)[0], fitted.predict_proba(series)[0]),
    "labels": list(loaded.predict(series)[0]),
    "pipeline": [node["label"] for node in nodes],
    "params": loaded.get_params() == fitted.get_params(),
}
"""


def test_a_segmenter(hub, home, tmp_path):
    rng = np.random.default_rng(0)
    series = rng.normal(size=(6, 20))
    labels = np.where(series > 0, "up", "=down")
    fitted = ChainHeadSegmenter(hidden_sizes=(4,), steps=20, random_state=0, n_jobs=1).fit(series, labels)
    fitted.save_pretrained(tmp_path / "phases")
    code = PUSH.replace("FOLDER", repr(str(tmp_path / "phases")))
    found = run_client(code, hub, home=home, token=hub.token("me")).ok
    assert found["labels"] == found["pipeline"]
    assert {*found["labels"]} <= {"up", "=down"}
    assert (found["commits"], found["same"], found["params"]) == (1, True, True)
    tree = hub.repo("me/phases").at("main").tree
    expected = {"README.md", "config.json", "estimator.json", "model.safetensors", "preprocessor_config.json"}
    assert expected <= tree.keys()
    assert not [name for name in tree if name.endswith((".pkl", ".bin", ".py"))]
    card = tree["README.md"].data.decode()
    assert "license: apache-2.0" in card
    assert "time-series-segmentation" in card
