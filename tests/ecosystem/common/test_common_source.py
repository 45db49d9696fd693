"""The download of transformers' tests: checked, kept inside its folder, and an error in CI if it fails."""

import io
import os
import tarfile

import pytest
import transformers
from common_source import UnavailableError, download, fetch, require_transformers_tests, unpack

ARCHIVE = f"transformers-{transformers.__version__}"


def write_archive(path, names, link=None):
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"data"))
        if link is not None:
            member = tarfile.TarInfo(link)
            member.type = tarfile.SYMTYPE
            member.linkname = "/etc/passwd"
            tar.addfile(member)


@pytest.fixture
def own_index(tmp_path, monkeypatch):
    """A package index in a folder, the only one that pip knows."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    folder = tmp_path / "index" / "transformers"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PIP_INDEX_URL", folder.parent.as_uri())
    return folder


def test_an_archive_that_the_index_states_another_hash_for(own_index, tmp_path):
    write_archive(own_index / f"{ARCHIVE}.tar.gz", [f"{ARCHIVE}/PKG-INFO"])
    link = f'<a href="{ARCHIVE}.tar.gz#sha256={"0" * 64}">{ARCHIVE}.tar.gz</a>'
    (own_index / "index.html").write_text(f"<!DOCTYPE html>{link}")
    with pytest.raises(UnavailableError, match="DO NOT MATCH THE HASHES"):
        download(tmp_path)
    assert not list(tmp_path.glob("*.tar.gz"))


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_an_index_tests_are_skipped_but_fail_in_ci(own_index, ci, outcome, tmp_path, monkeypatch):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=f"{transformers.__version__} are not to be had: ERROR: Could not find"):
        require_transformers_tests(tmp_path)
    assert not (tmp_path / transformers.__version__).exists()


def test_only_the_tests_are_unpacked_and_only_into_the_package(tmp_path):
    names = ["test_a.py", "../test_b.py", "sub/test_c.py", "../../../../test_d.py", "test_e.txt"]
    others = ["/tests/test_f.py", "../tests/test_g.py", f"{ARCHIVE}/src/test_h.py"]
    archive = tmp_path / "archive.tar.gz"
    write_archive(
        archive, [f"{ARCHIVE}/tests/{name}" for name in names] + others, f"{ARCHIVE}/tests/test_link.py"
    )
    before = set(tmp_path.parent.rglob("*"))
    unpack(archive, tmp_path / "package")
    made = {str(path.relative_to(tmp_path)) for path in set(tmp_path.parent.rglob("*")) - before}
    files = {path for path in made if path.endswith(".py") and "/test_" in path}
    assert {"package/test_a.py"} <= files
    assert {path.rpartition("/")[2] for path in files} <= {
        "test_a.py",
        "test_f.py",
        "test_g.py",
        "test_export.py",
        "test_utils.py",
        "test_configuration_utils.py",
    }
    assert all(path == "package" or path.startswith("package/") for path in made)
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_what_is_there_is_not_fetched_again(own_index, tmp_path):
    there = tmp_path / transformers.__version__
    there.mkdir()
    assert fetch(tmp_path) == there
