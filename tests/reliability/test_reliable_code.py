"""Loading a model runs no code from its folder, asks nobody for permission, and starts no program."""


def test_nothing_runs_that_is_not_installed(run_program, tmp_path):
    report = run_program("under_audit.py", tmp_path, imports=True)

    assert report["events"] == []
    # The watch sees code that is allowed to run, and models in order do what is asked.
    assert any("poison.py" in event for event in report["seen"])
    outcomes = report["outcomes"]
    assert len(outcomes) > 250
    for action in (
        "sequence predict",
        "sequence explain",
        "image predict",
        "text predict",
        "forecast predict",
    ):
        assert outcomes[f"clean {action}"] == outcomes[f"known {action}"] == "done"
        name = action.partition(" ")[0]
        assert f"Error: {name} needs code that comes with it, which is never" in outcomes[f"unknown {action}"]
    assert {told for action, told in outcomes.items() if action.endswith(" pull")} == {"done"}
