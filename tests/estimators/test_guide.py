"""The commands of docs/classify.md, one of each kind, run on the files that its snippet writes."""

import json
import re
import shlex
from pathlib import Path

from command_line import invoke

GUIDE = (Path(__file__).parents[2] / "docs" / "classify.md").read_text("utf-8")
(SNIPPET, BLOCK) = re.search(
    r"^```python\n([^`]*)^```\n\n```bash\n(.*?)^```$", GUIDE, flags=re.M | re.S
).groups()


def test_files_of_each_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(SNIPPET, "docs/classify.md", "exec"), {})
    left_out = {}
    for command in BLOCK.splitlines():
        program, *arguments = shlex.split(command)
        assert program == "chainhead"
        shown = invoke(*arguments)
        if "--output" in arguments:
            assert "20 series of 20 nodes" in shown
            results = json.loads(Path(arguments[-1], "results.json").read_text("utf-8"))
            left_out[arguments[-1]] = next(iter(results["left_out"].values()))
    # The same series come to the same, whatever file they were in, in the same order.
    same = ("from-parquet", "from-lines", "from-arrays", "from-ts")
    assert len({left_out[name] for name in same}) == 1
    assert left_out["from-wide"] == left_out["from-arff"]
