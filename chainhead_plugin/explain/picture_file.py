"""Files for pictures, checked before anything is computed for them. Needs matplotlib."""

from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase

from ..checks.places import check_file_place


def check_picture(file: Path) -> None:
    """Check that a picture can be written.

    Raises
    ------
    ValueError
        If the format is unknown, there is a folder of that name, or none that takes the file.
    """
    formats = FigureCanvasBase.get_supported_filetypes()
    if file.suffix.removeprefix(".").lower() not in formats:
        raise ValueError(
            f"cannot draw {file.name}: expected a file name ending in one of {', '.join(formats)}"
        )
    check_file_place(file)
