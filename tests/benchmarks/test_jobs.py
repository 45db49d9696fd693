"""The benchmark of jobs: its table holds the medians of a run."""

from benchmarks.jobs.measuring import ALONE, LOOP, Measured, Plan, on_ray
from benchmarks.jobs.report import BEGIN, END, put_into, render


def test_the_table_holds_the_medians_of_a_run():
    plan = Plan(rows=2_000, rounds=3)
    speeds = {form: 100.0 * place for place, form in enumerate(plan.forms, start=1)}
    found = [
        Measured(form, speeds[form] + turn, 1.5 * turn + 1, 9.0) for turn in (2, 0, 1) for form in plan.forms
    ]
    page = put_into(f"before\n{BEGIN}\nold\n{END}\nafter", render(plan, {"cores": "2"}, found))
    assert page.startswith(
        f"before\n{BEGIN}\n2,000 texts of 5 to 100 words for `chainhead-sentiment`, parts of 250"
    )
    assert page.endswith(f"\n{END}\nafter")
    assert "old" not in page
    assert f"| {ALONE} | 101 (100–102) | 1.00 | 2.5 (1–4) | 9 (9–9) |" in page
    assert f"| {LOOP} | 301 (300–302) | 2.98 |" in page
    assert f"| {on_ray(2)} | 501 (500–502) | 4.96 |" in page
