"""Every recipe and command of docs/recipes.md runs on files as people have them, and shows what is said there."""

import pytest
from guide_files import write_recipe_files
from guides import play, sections

CASES = {
    heading: blocks for heading, blocks in sections("recipes.md").items() if blocks[:1] and blocks[0].file
}


def test_there_is_a_case_of_each_kind():
    assert len(CASES) == 9


@pytest.mark.parametrize("case", CASES)
def test_case(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_recipe_files()
    assert all(play(CASES[case]))
