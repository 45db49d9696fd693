"""Files for pictures, checked before anything is computed for them. Needs matplotlib."""

from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase


def check_picture(file: Path) -> None:
    """Check that a picture can be written.

    Raises
    ------
    ValueError
        If the format is unknown, the folder missing, or there is a folder of that name.
    """
    if file.is_dir():
        raise ValueError(f"cannot write {file}: it is a folder")
    formats = FigureCanvasBase.get_supported_filetypes()
    if file.suffix.removeprefix(".").lower() not in formats:
        raise ValueError(
            f"cannot draw {file.name}: expected a file name ending in one of {', '.join(formats)}"
        )
    if not file.absolute().parent.is_dir():
        raise ValueError(f"cannot write {file}: there is no folder {file.absolute().parent}")
