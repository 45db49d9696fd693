"""A push followed by a pull returns the same files, and what cannot be pushed is refused before the Hub is asked."""

import json
import re

import pytest
from hub_client import run_client
from hub_samples import CHECKPOINT, MODEL, NAME, VERIFIED, digest, noise

PUSH = "import registry\nfrom pathlib import Path\nresult = vars(registry.push({}))"
FILES = {file.name: digest(file.read_bytes()) for file in CHECKPOINT.iterdir()}


def test_zoo_entry_by_branch_tag_and_commit(hub, home, tmp_path):
    hub.state.lfs_threshold = 10_000
    token = hub.token("me")
    push = PUSH.format(f"{NAME!r}, 'me/chain', branch='next', tag='v1', private=True, commit_message='One'")
    done = run_client(push, hub, home=home, token=token).ok
    repo = hub.repo("me/chain")
    commit = repo.at("next")
    assert (done["changed"], done["commit"], done["repo_id"]) == (True, commit.oid, "me/chain")
    assert (repo.private, commit.title, repo.at("v1").oid) == (True, "One", commit.oid)
    assert len(hub.asked("/commit/", "POST")) == 1
    card = commit.tree["README.md"].data.decode()
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", card)
    assert len(pictures) == 4
    assert all(picture.startswith("images/") and picture in commit.tree for picture in pictures)
    assert commit.card["model-index"][0]["name"] == NAME

    again = run_client(push, hub, home=home, token=token).ok
    assert again == done | {"changed": False}
    assert len(hub.asked("/commit/", "POST")) == 1

    code = VERIFIED + f"result = [pulled('me/chain', r) for r in ('next', 'v1', {commit.oid!r})]"
    for pulled in run_client(code, hub, home=tmp_path / "fresh", token=token).ok:
        assert pulled == FILES | {"README.md": digest(card.encode())}


def test_folder_of_the_user_without_owner(hub, home, folder):
    (folder / ".secret").write_text("mine")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + noise(9))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n![a](picture.png) ![b](https://x.org/y.png)\n")
    done = run_client(PUSH.format(f"Path({str(folder)!r}), 'mine'"), hub, home=home, token=hub.token("me")).ok
    tree = hub.repo("me/mine").at("main").tree
    assert done["repo_id"] == "me/mine"
    assert tree.keys() == {*MODEL, "picture.png", ".gitattributes"}
    assert tree["README.md"].data == (folder / "README.md").read_bytes()


@pytest.mark.parametrize(
    ("name", "data", "error", "message"),
    [
        ("pytorch_model.bin", b"x", "PushError", "can run code"),
        ("config.json", None, "PushError", "no config.json"),
        ("config.json", b"{", "PushError", "config.json is damaged"),
        ("config.json", b'{"transformers_weights": "x"}', "PushError", "saving was interrupted"),
        ("config.json", b"[]", "PushError", "holds a list"),
        ("model.safetensors", None, "CheckpointError", "no weights"),
        ("model.safetensors", MODEL["model.safetensors"][:-9], "PushError", "model.safetensors is damaged"),
        ("README.md", b"# Hi", "PushError", "no front matter"),
        ("README.md", b"---\na: [\n---\n", "PushError", "not valid"),
        ("README.md", b"---\nlicense: mit\n---\n![a](../gone.png)\n", "PushError", "is no picture"),
    ],
)
def test_unfit_folder_is_refused_before_the_hub_is_asked(folder, name, data, error, message):
    import registry

    (folder / name).unlink(missing_ok=True)
    if data is not None:
        (folder / name).write_bytes(data)
    with pytest.raises(getattr(registry, error), match=message):
        registry.push(folder, "me/chain")


def test_no_such_thing_to_push():
    import registry

    with pytest.raises(registry.UnknownModelError, match="Nor is there a folder nothing"):
        registry.push("nothing", "me/chain")


def test_who_may_not_push(hub, home, folder):
    hub.publish("you/chain", MODEL)
    hub.publish("me/public", MODEL)
    code = f"""
    import registry
    def failure(token, repo_id="me/new", **options):
        try:
            registry.push({str(folder)!r}, repo_id, token=token, **options)
        except Exception as error:
            return type(error).__name__, str(error)
    result = [
        failure(None), failure({hub.token("me", "read")!r}), failure({hub.token("me", "expired")!r}),
        failure({hub.token("me")!r}, "you/chain"), failure({hub.token("me")!r}, "me/public", private=True),
    ]
    """
    failures = run_client(code, hub, home=home).ok
    assert [kind for kind, _ in failures] == [
        "LocalTokenNotFoundError",
        "PushError",
        "HfHubHTTPError",
        "PushError",
        "PushError",
    ]
    for (_, message), advice in zip(
        failures,
        [
            "hf auth login",
            "may only read",
            "not any more",
            "me may not push to you/chain",
            "exists and is public",
        ],
        strict=True,
    ):
        assert advice in message
    assert "me/new" not in hub.state.repos
    assert not hub.asked("", "POST|PUT")


def test_offline_push_opens_no_socket(hub, home):
    failed = run_client(PUSH.format(f"{NAME!r}, 'me/chain'"), hub, home=home, offline=True)
    assert (failed.error, failed.network) == ("OfflineModeIsEnabled", [])


def test_tag_that_is_taken(hub, home, folder):
    first = hub.publish("me/chain", {"other.txt": b"x"})
    hub.repo("me/chain").tags["v1"] = first
    hub.publish("me/chain", {"other.txt": b"y"})
    push = PUSH.format(f"{str(folder)!r}, 'me/chain', tag='v1'")
    failed = run_client(push, hub, home=home, token=hub.token("me"))
    assert (failed.error, hub.asked("/commit/")) == ("PushError", [])
    assert "the tag v1 of me/chain exists" in failed.message


def test_tag_that_would_move(hub, home, folder):
    token = hub.token("me")
    push = PUSH.format(f"{str(folder)!r}, 'me/chain', tag='v1'")
    first = run_client(push, hub, home=home, token=token).ok
    assert run_client(push, hub, home=home, token=token).ok == first | {"changed": False}
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Another\n")
    commits = len(hub.asked("/commit/", "POST"))
    failed = run_client(push, hub, home=home, token=token)
    assert (failed.error, len(hub.asked("/commit/", "POST"))) == ("PushError", commits)
    assert f"the tag v1 of me/chain exists, at {first['commit']}" in failed.message
    assert hub.repo("me/chain").at("main").oid == first["commit"]

    push = PUSH.format(f"{str(folder)!r}, 'me/chain', tag='v1', branch='next'")
    assert run_client(push, hub, home=home, token=token).error == "PushError"
    assert "next" not in hub.repo("me/chain").branches


def test_code_is_not_taken_away(hub, home, folder):
    token = hub.token("me")
    with_code = PUSH.format(f"{str(folder)!r}, 'me/chain', with_code=True")
    first = run_client(with_code, hub, home=home, token=token).ok["commit"]
    failed = run_client(PUSH.format(f"{str(folder)!r}, 'me/chain'"), hub, home=home, token=token)
    assert failed.error == "PushError"
    assert "carries code" in failed.message
    assert "with_code=True" in failed.message
    methods = """
    import chainhead_plugin
    model = chainhead_plugin.ChainHeadForSequenceClassification.from_pretrained("me/chain")
    model.push_to_hub("me/chain")
    """
    failed = run_client(methods, hub, home=home, token=token)
    assert failed.error == "ValueError"
    assert "registry.push(folder, 'me/chain', with_code=True)" in failed.message
    assert hub.repo("me/chain").at().oid == first
    assert not run_client(with_code, hub, home=home, token=token).ok["changed"]


def test_what_trainer_keeps_for_itself_is_left_out_and_told(hub, home, tmp_path):
    code = f"""
    import os
    os.chdir({str(tmp_path)!r})
    import torch, chainhead_plugin as c
    from transformers import Trainer, TrainingArguments
    data = [{{"input_features": torch.randn(5, 3), "labels": i % 2}} for i in range(4)]
    quiet = dict(report_to=[], disable_tqdm=True, use_cpu=True)
    arguments = TrainingArguments("run", max_steps=2, save_steps=1, **quiet)
    model = c.ChainHeadForSequenceClassification(c.ChainHeadConfig(m=3, num_labels=2, channel_hops=[0, 2]))
    trainer = Trainer(model, arguments, train_dataset=data)
    trainer.train()
    trainer.save_model()
    from typer.testing import CliRunner
    from chainhead_plugin.cli import app
    result = []
    for folder, name in (("run", "me/run"), ("run/checkpoint-2", "me/checkpoint")):
        done = CliRunner().invoke(app, ["push", folder, name])
        result.append([done.exit_code, done.stdout, done.stderr])
    """
    run, checkpoint = run_client(code, hub, home=home, token=hub.token("me")).ok
    for name, (exit_code, stdout, stderr) in (("me/run", run), ("me/checkpoint", checkpoint)):
        assert (exit_code, stdout[:8]) == (0, "Pushed: "), stderr
        tree = hub.repo(name).at().tree
        assert not [file for file in tree if file.endswith((".bin", ".pt", ".pth")) or "checkpoint-" in file]
        assert tree.keys() >= {"config.json", "model.safetensors", "README.md"}
    assert (
        "Note: left out of the push, as Trainer's own: checkpoint-1/, checkpoint-2/, training_args.bin"
        in run[2]
    )
    assert "optimizer.pt" in checkpoint[2]


@pytest.mark.parametrize("name", ["model.pt", "sub/more.PKL", "pytorch_model.bin"])
def test_pickles_are_refused_with_advice(folder, name):
    import registry

    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    (folder / "training_args.bin").write_bytes(b"x")
    with (
        pytest.warns(registry.RegistryWarning, match=r"training_args\.bin"),
        pytest.raises(
            registry.PushError, match=rf"can run code when they are read: {name}\. .* save_pretrained"
        ),
    ):
        registry.push(folder, "me/chain")


def test_commands(hub, home, folder, tmp_path):
    hub.token("me")
    code = """
    from typer.testing import CliRunner
    from chainhead_plugin.cli import app
    runner = CliRunner()
    def run(*arguments):
        done = runner.invoke(app, arguments)
        return [done.exit_code, done.stdout, done.stderr]
    to = {to!r}
    result = [
        run("push", {folder!r}, "me/chain", "--tag", "v1", "--message", "One"), run("push", {folder!r}, "me/chain"),
        run("pull", "me/chain", "--revision", "v1", "--to", to), run("pull", "me/chain", "--to", to),
        run("pull", "me/missing"), run("pull", "nothing"),
    ]
    """.format(to=str(tmp_path / "to"), folder=str(folder))
    pushed, again, pulled, taken, missing, unknown = run_client(
        code, hub, home=home, token=hub.token("me")
    ).ok
    assert pushed[0] == again[0] == pulled[0] == 0
    assert pushed[1].startswith("Pushed: http")
    assert again[1].startswith("Nothing to push, me/chain is up to date")
    assert pulled[1].strip() == str(tmp_path / "to")
    assert {file.name: file.read_bytes() for file in (tmp_path / "to").iterdir()} == MODEL
    assert (taken[0], missing[0], unknown[0]) == (1, 1, 1)
    assert "exists already" in taken[2]
    assert "spelt correctly" in missing[2]
    assert "no folder here is named nothing" in unknown[2]


def test_weights_in_other_pieces_take_the_place_of_the_old(hub, home, folder, tmp_path):
    from safetensors.torch import load_file, save_file

    hub.publish("me/chain", MODEL | {"other.safetensors": MODEL["model.safetensors"]})
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    index = {}
    for number, (name, tensor) in enumerate(weights.items(), start=1):
        index[name] = f"model-{number:05}-of-{len(weights):05}.safetensors"
        save_file({name: tensor}, folder / index[name], metadata={"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    (folder / "README.md").unlink()
    push = PUSH.format(f"{str(folder)!r}, 'me/chain'")
    token = hub.token("me")
    hub.faults.add("lost_reply", "/commit/", method="POST")
    done = run_client(push, hub, home=home, token=token).ok
    tree = hub.repo("me/chain").at().tree
    assert done["changed"]
    assert "model.safetensors" not in tree
    assert tree.keys() >= {*index.values(), "model.safetensors.index.json", "other.safetensors"}
    card = tree["README.md"].data.decode()
    assert "`ChainHeadForSequenceClassification` with 11,401 weights" in card
    assert not run_client(push, hub, home=home, token=token).ok["changed"]


def test_progress_is_shown(hub, home, folder):
    hub.state.lfs_threshold = 10_000
    code = f"""
    import fcntl, pty, os, struct, sys, termios
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    os.dup2(end, 2)
    import registry
    registry.push({str(folder)!r}, "me/chain")
    registry.pull("me/chain")
    sys.stderr.flush()
    os.set_blocking(terminal, False)
    result = ""
    try:
        while True:
            result += os.read(terminal, 4096).decode()
    except BlockingIOError:
        pass
    """
    env = {"HF_HUB_DISABLE_PROGRESS_BARS": "0", "TERM": "xterm"}
    shown = run_client(code, hub, home=home, token=hub.token("me"), env=env).ok
    assert "model.safetensors" in shown
    assert "100%" in shown
