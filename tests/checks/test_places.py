"""Places for output are checked before anything is computed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nobody import as_nobody

from chainhead_plugin.checks.places import check_file_place, check_folder_place


def test_places_that_can_be_written(tmp_path):
    for file in (tmp_path / "a.csv", tmp_path / "there.csv"):
        check_file_place(file)
    for folder in (tmp_path, tmp_path / "a" / "b"):
        check_folder_place(folder)
    assert not any(tmp_path.iterdir())


def test_places_that_cannot(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    for check, place, message in (
        (check_file_place, "folder.csv", "folder.csv: it is a folder"),
        (check_file_place, "no/a.csv", "no/a.csv: there is no folder /.*/no$"),
        (check_file_place, "file/a.csv", "file/a.csv: there is no folder /.*/file$"),
        (check_folder_place, "file", "file: it is a file"),
        (check_folder_place, "file/a/b", "file/a/b: /.*/file is a file"),
    ):
        with pytest.raises(ValueError, match=f"cannot write /.*{message}"):
            check(tmp_path / place)


def test_folders_without_the_right_to_write():
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        for check in (check_file_place, check_folder_place):
            with as_nobody(), pytest.raises(ValueError, match=f"{folder} takes no files: Permission denied"):
                check(folder / "new")
        folder.chmod(0o755)
