"""`chainhead predict`, `card` and `plot` of models on the Hub."""

from hub_client import run_client

import registry
from chainhead_plugin.demo import MODEL


def test_a_repository_is_used_by_its_name(hub, home, tmp_path):
    folder = registry.checkpoint_path(MODEL)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    hub.publish("me/vowels", files | {"README.md": b"# Vowels\n"})
    code = f"""
    import inspect
    from typer.testing import CliRunner
    from chainhead_plugin.cli import app
    # Click before 8.2 keeps the two streams apart only if asked to.
    mixes = "mix_stderr" in inspect.signature(CliRunner.__init__).parameters
    runner = CliRunner(mix_stderr=False) if mixes else CliRunner()
    def run(*arguments, **options):
        done = runner.invoke(app, arguments, **options)
        return [done.exit_code, done.stdout, done.stderr]
    row = ",".join(["0.1"] * 12)
    result = [
        run("predict", "me/vowels", "-", "--json", input=row),
        run("predict", {str(folder)!r}, "-", "--json", input=row),
        run("card", "me/vowels"),
        run("plot", "me/vowels", "--out", {str(tmp_path / "chain.png")!r}),
        run("predict", "me/vowels", "-", "--revision", "v9", input=row),
    ]
    """
    predicted, local, card, drawn, missing = run_client(code, hub, home=home).ok
    assert predicted[:2] == local[:2]
    assert predicted[0] == card[0] == drawn[0] == 0, drawn
    assert card[1] == "# Vowels\n"
    assert (tmp_path / "chain.png").exists()
    assert missing[0] == 1
    assert "has no such branch, tag or commit" in missing[2]
