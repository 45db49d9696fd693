"""The guides' snippets run unchanged and without a network, and their links have targets."""

import re
from pathlib import Path

import pytest
from fresh_processes import run_fresh

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = {
    file.relative_to(DOCS).as_posix(): file.read_text(encoding="utf-8") for file in sorted(DOCS.rglob("*.md"))
}
SNIPPETS = [
    pytest.param(code, id=f"{name}-{number}")
    for name, text in GUIDES.items()
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```$", text, flags=re.M | re.S))
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet(snippet, tmp_path, pytestconfig):
    if "torchao" in snippet:
        pytest.importorskip("torchao", reason="the extra quantisation is not installed")
    for package in ("skorch", "pytorch_lightning"):
        if package in snippet:
            pytest.importorskip(package, reason=f"{package} is for this page alone")
    # What is no error in the tests, such as with old packages, is none here.
    warnings = ["error", *(pytestconfig.getoption("pythonwarnings") or ())]
    if "pytorch_lightning" in snippet:
        # Lightning gives advice as warnings, and uses what torch calls deprecated.
        warnings.append("ignore")
    done = run_fresh(snippet, folder=tmp_path, offline=True, warnings=warnings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", GUIDES)
def test_it_says_at_its_top_which_extra_it_needs(name):
    top = GUIDES[name].split("\n## ")[0]
    assert re.search(r"\bextras?\b|pip install", top)


def anchors(text):
    """Return the anchors that GitHub gives the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", GUIDES)
def test_local_links_lead_somewhere(name):
    text = re.sub(r"^```.*?^```$", "", GUIDES[name], flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = (DOCS / name).parent / path if path else DOCS / name
        assert "://" in link or target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text("utf-8")), link
