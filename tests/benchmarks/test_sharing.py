"""The benchmark of shared chains: its table holds the rows of a run."""

from benchmarks.sharing.measuring import HEADS, Plan
from benchmarks.sharing.report import BEGIN, END, put_into, render


def test_the_table_has_the_times_of_a_run():
    plan = Plan(nodes=400, processes=(1, 2), rounds=2)
    rows = [
        {"head": head, "processes": count, "round": turn}
        | {
            "forward": 2.0 / count,
            "both": 4.0 / count + turn,
            "cpu": 3.0 / count,
            "difference": 1e-7 * (count - 1),
        }
        for head in HEADS
        for count in plan.processes
        for turn in (1, 0)
    ]
    page = put_into(f"before\n{BEGIN}\nold\n{END}\nafter", render(plan, {"cores": "2"}, rows))
    assert page.startswith(
        f"before\n{BEGIN}\n400 nodes of 2 features in float32, one thread a process, 2 rounds"
    )
    assert "old" not in page
    assert page.endswith(f"\n{END}\nafter")
    assert "| running sum | 1 | 2 (2–2) | 4.5 (4–5) | 3 (3–3) | – | – | – |" in page
    assert (
        "| running sum | 2 | 1 (1–1) | 2.5 (2–3) | 1.5 (1.5–1.5) | 0.55 (0.5–0.6) | 0.5 (0.5–0.5) | 1e-07 |"
        in page
    )
    assert page.count("\n| ") == 2 + 2 * len(HEADS)
