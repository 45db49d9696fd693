"""A Hub or a proxy that answers with unexpected JSON leads to a documented error for every call."""

import pytest
from hub_client import run_client
from hub_nonsense import BODIES, LIES
from hub_samples import MODEL

PULLS = {"info": r"GET /api/models/me/chain(/revision/.*)?", "access": r"GET .*/auth-check"}
PUSHES = {
    "account": r"GET /api/whoami-v2",
    "info": r"GET /api/models/me/chain(/revision/.*)?",
    "refs": r"GET .*/refs",
    "modes": r"POST .*/preupload/.*",
    "commit": r"POST .*/commit/.*",
    "card": r"POST /api/validate-yaml",
    "new": r"POST /api/repos/create",
}
ALL = range(len(BODIES))
CALLS = """
import json, os, sys, urllib.request
from pathlib import Path
import registry
from registry.hub import requests
requests._WAITS = (0, 0)
sys.setrecursionlimit(1000)
result = {}
for number in NUMBERS:
    urllib.request.urlopen(f"{os.environ['HF_ENDPOINT']}/nonsense/{number}").close()
    try:
        CALL
        result[number] = "done"
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        str(error).encode()
        result[number] = [kinds, str(error)]
"""
# What `registry.pull` and `registry.push` promise, and their callers may expect.
NAMED = {"TransferError", "CheckpointError", "PushError", "HfHubHTTPError", "LocalEntryNotFoundError"}


def told(hub, home, pattern, call, numbers=ALL, **options):
    hub.state.nonsense = (pattern, -1)
    code = CALLS.replace("NUMBERS", str([*numbers])).replace("CALL", call)
    found = run_client(code, hub, home=home, **options).ok
    assert len(found) == len(numbers)
    return {BODIES[int(number)][:80]: said for number, said in found.items()}


def assert_named(found):
    unnamed = {body: said for body, said in found.items() if said != "done" and not NAMED & {*said[0]}}
    assert not unnamed


@pytest.mark.parametrize("path", PULLS)
def test_pull(hub, home, model, path):
    found = told(hub, home, PULLS[path], "registry.pull('me/chain')")

    assert_named(found)
    # What is asked for access is only whether there is any.
    assert path == "access" or "done" not in found.values()


@pytest.mark.parametrize("path", PUSHES)
def test_push(hub, home, tmp_path, path):
    hub.state.lfs_threshold = 10_000
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name, data in MODEL.items():
        (folder / name).write_bytes(data)
    if path != "new":
        hub.publish("me/chain", {"README.md": b"Before"})
    call = f"registry.push({str(folder)!r}, 'me/chain', commit_message=str(number))"
    if path in ("modes", "commit"):
        # The folder differs every time, so that there is something to commit.
        call = f"Path({str(folder)!r}, 'vocab.txt').write_text(str(number)); {call}"
    found = told(hub, home, PUSHES[path], call, token=hub.token("me"))

    assert_named(found)
    if path != "new":
        assert hub.repo("me/chain").branches.keys() == {"main"}


PULL_LIES = """
import os, shutil, time, urllib.request
from pathlib import Path
from urllib.parse import quote
import registry
from registry.hub import requests
requests._WAITS = (0, 0)
pause = time.sleep
time.sleep = lambda seconds: pause(min(seconds, 0.01))  # between the client's own attempts
home = Path(os.environ["HF_HOME"])
victim = home.parent / "victim"
result = {}
for number in NUMBERS:
    for force in (False, True):
        shutil.rmtree(home / "hub", ignore_errors=True)
        victim.write_text("a user's own")
        before = {file for file in home.parent.rglob("*") if home not in file.parents}
        urllib.request.urlopen(f"{os.environ['HF_ENDPOINT']}/lies/{number}/{quote(str(victim), safe='')}").close()
        try:
            registry.pull("me/chain", force=force)
            told = "done"
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            told = [kinds, str(error)]
        made = {file for file in home.parent.rglob("*") if home not in file.parents} - before
        assert not made, (number, [str(file) for file in made])
        assert victim.read_text() == "a user's own", number
        result[f"{number} {force}"] = told
"""


def test_headers_are_no_places_on_the_disk(hub, home, model):
    hub.state.nonsense = ("", -1)
    found = run_client(PULL_LIES.replace("NUMBERS", str([*range(len(LIES))])), hub, home=home).ok
    assert len(found) == 2 * len(LIES)
    for told in found.values():
        assert told == "done" or NAMED & {*told[0]}


LIES_TO_OTHERS = """
import os, shutil, urllib.request
from pathlib import Path
from urllib.parse import quote
from transformers import AutoConfig, AutoFeatureExtractor, AutoTokenizer, pipeline
from chainhead_plugin import ChainHeadConfig, ChainHeadFeatureExtractor, ChainHeadModel
home = Path(os.environ["HF_HOME"])
victim = home.parent / "victim"
victim.write_text("a user's own")
before = {file for file in home.parent.rglob("*") if home not in file.parents}
model = ChainHeadModel(ChainHeadConfig(m=3, n=4))
calls = {
    "config": lambda: AutoConfig.from_pretrained("me/chain"),
    "own config": lambda: ChainHeadConfig.from_pretrained("me/chain", force_download=True),
    "extractor": lambda: AutoFeatureExtractor.from_pretrained("me/chain"),
    "own extractor": lambda: ChainHeadFeatureExtractor.from_pretrained("me/chain"),
    "tokenizer": lambda: AutoTokenizer.from_pretrained("me/chain"),
    "pipeline": lambda: pipeline("time-series-classification", model="me/chain"),
    "push": lambda: model.push_to_hub("me/chain", tags=[str(number)]),
}
result = {}
for number in NUMBERS:
    for name, call in calls.items():
        shutil.rmtree(home / "hub", ignore_errors=True)
        urllib.request.urlopen(f"{os.environ['HF_ENDPOINT']}/lies/{number}/{quote(str(victim), safe='')}").close()
        try:
            call()
            told = "done"
        except Exception as error:
            told = [[kind.__name__ for kind in type(error).__mro__], str(error)]
        made = {file for file in home.parent.rglob("*") if home not in file.parents} - before
        assert not made, (number, name, [str(file) for file in made])
        assert victim.read_text() == "a user's own", (number, name)
        result[f"{number} {name}"] = told
"""


def test_headers_are_no_places_for_what_transformers_fetches_or_a_push_reads(hub, home, model):
    """A hash that is a path made the client write there, and a push took the file there for the card and sent it."""
    hub.state.nonsense = ("", -1)
    code = LIES_TO_OTHERS.replace("NUMBERS", "[0, 1, 2, 6]")
    found = run_client(code, hub, home=home, token=hub.token("me")).ok
    for call, told in found.items():
        assert told == "done" if "push" in call else "TransferError" in told[0] and "no name" in told[1]
    assert b"a user's own" not in hub.repo("me/chain").at("main").tree["README.md"].data


PUSH_TO_HUB = """
import json, os, sys, urllib.request
from urllib.parse import quote
from chainhead_plugin import ChainHeadConfig, ChainHeadModel
model = ChainHeadModel(ChainHeadConfig(m=3, n=4))
sys.setrecursionlimit(1000)
result = {}
for place, pattern in PLACES.items():
    for number in NUMBERS:
        urllib.request.urlopen(f"{os.environ['HF_ENDPOINT']}/nonsense/{number}/{quote(pattern, safe='')}").close()
        try:
            model.push_to_hub("me/chain", commit_message=str(number), tags=[f"{place}-{number}"])
            told = "done"
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            str(error).encode()
            told = [kinds, str(error)]
        result[f"{place} {number}"] = told
"""


def test_push_to_hub(hub, home, pytestconfig):
    hub.publish("me/chain", {"README.md": b"Before"})
    hub.state.nonsense = ("", -1)
    places = {name: pattern for name, pattern in PUSHES.items() if name not in ("refs", "account")}
    places["made"] = r"POST /api/repos/create"
    numbers = ALL if pytestconfig.getoption("--full", False) else ALL[::11]
    code = PUSH_TO_HUB.replace("PLACES", repr(places)).replace("NUMBERS", str([*numbers]))
    found = run_client(code, hub, home=home, token=hub.token("me")).ok
    assert len(found) == len(places) * len(numbers)
    for told in found.values():
        assert told == "done" or {"ConnectionError", "HfHubHTTPError", "OSError"} & {*told[0]}
        assert told == "done" or hub.endpoint in told[1]


COMMANDS = """
import os, urllib.request
from typer.testing import CliRunner
from chainhead_plugin.cli import app
from registry.hub import requests
requests._WAITS = (0, 0)
result = {}
for number in NUMBERS:
    urllib.request.urlopen(f"{os.environ['HF_ENDPOINT']}/nonsense/{number}").close()
    for command in (["pull", "me/chain"], ["info", "me/chain"], ["card", "me/chain"], ["list"],
                    ["predict", "me/chain", "rows.csv"], ["plot", "me/chain", "--out", "a.png"],
                    ["evaluate", "me/chain", "--data", "rows.csv"], ["push", "chainhead-digits", "me/chain"]):
        done = CliRunner().invoke(app, command, input="y\\n")
        is_told = done.exception is None or isinstance(done.exception, SystemExit)
        result[f"{number} {' '.join(command)}"] = [is_told, done.exit_code, done.output]
"""


def test_commands(hub, home, model, tmp_path, monkeypatch, pytestconfig):
    (tmp_path / "rows.csv").write_text("0.1,0.2,0.3\n")
    monkeypatch.chdir(tmp_path)
    hub.state.nonsense = (r"(GET|POST) /api/.*", -1)
    numbers = ALL if pytestconfig.getoption("--full", False) else ALL[::19]
    code = COMMANDS.replace("NUMBERS", str([*numbers]))
    found = run_client(code, hub, home=home, token=hub.token("me")).ok
    assert len(found) == 8 * len(numbers)
    for command, (is_told, code, output) in found.items():
        assert is_told, command
        assert code == (0 if command.endswith("list") else 1), f"{command}: {output}"
        assert "Traceback" not in output
        assert "\x1b" not in output


def test_loading(hub, home, model, pytestconfig):
    call = "transformers.AutoModelForSequenceClassification.from_pretrained('me/chain')"
    found = told(
        hub,
        home,
        r"GET /api/models/.*",
        f"import transformers; registry.load_plugins(); {call}",
        # Every load takes half a second.
        numbers=ALL if pytestconfig.getoption("--full", False) else ALL[::9],
    )

    expected = {"OSError", "ValueError", "RegistryError"}
    assert not {body: said for body, said in found.items() if said != "done" and not expected & {*said[0]}}
