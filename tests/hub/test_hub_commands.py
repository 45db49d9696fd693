"""`chainhead predict`, `card` and `plot` of models on the Hub."""

from hub_client import run_client

import registry
from chainhead_plugin.cli.demonstration import MODEL


def test_a_repository_is_used_by_its_name(hub, home, tmp_path):
    folder = registry.checkpoint_path(MODEL)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    hub.publish("me/vowels", files | {"README.md": b"# Vowels\n"})
    code = f"""
    from typer.testing import CliRunner
    from chainhead_plugin.cli import app
    runner = CliRunner()
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
