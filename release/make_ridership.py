"""Make the package's ridership data from R's modeldata: ``python -m release.make_ridership FILE.deb``.

FILE.deb is Debian's r-cran-modeldata 1.1.0-1 (``apt-get download r-cran-modeldata=1.1.0-1``); reading it needs dpkg-deb
and the packages rdata and pandas.
"""

import argparse
import gzip
import lzma
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainhead_plugin.storage.hashing import sha256

SHA256 = "66c2e08bb4bf695d972b1e72ea44d5af9ada3c42841793d3871017f7b896bf95"
OUTPUT = Path(__file__).parents[1] / "chainhead_plugin" / "recipes" / "zoo" / "chicago_ridership.npz"
_DATA = "usr/lib/R/site-library/modeldata/data/Rdata"
_LAG = 14  # modeldata holds the stations' entries of 14 days before
_WEATHER = {
    "temp": "temperature",
    "wind": "wind",
    "percip_max": "precipitation",
    "weather_rain": "rain",
    "weather_snow": "snow",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of this process.

    Raises
    ------
    ValueError
        If the file is another file, or the data are not as expected.
    """
    parser = argparse.ArgumentParser(prog="python -m release.make_ridership", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    found = sha256(options.file)
    if found != SHA256:
        raise ValueError(f"{options.file} has SHA-256 {found}, expected {SHA256}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "--extract", str(options.file), folder], check=True)  # noqa: S603, S607
        table = read_lazy_data(Path(folder) / _DATA, "Chicago")
    options.output.parent.mkdir(exist_ok=True)
    np.savez_compressed(options.output, **arrays(table))


def read_lazy_data(stem: Path, name: str) -> Any:
    """Return a table of an R package's data: `stem`.rdx says where in `stem`.rdb it is, and how it is packed."""
    import rdata  # type: ignore[import-not-found, import-untyped, unused-ignore]

    def read(content: bytes) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of R's classes, which stay plain here
            return rdata.conversion.convert(rdata.parser.parse_data(content))

    index = read(gzip.decompress(stem.with_suffix(".rdx").read_bytes()))
    offset, length = map(int, index["variables"][name])
    packed = stem.with_suffix(".rdb").read_bytes()[offset : offset + length]
    if packed[4:5] != b"Z":
        raise ValueError(f"{name} is packed as {packed[4:5]!r}, expected xz, Z")
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    return read(lzma.decompress(packed[5:], lzma.FORMAT_RAW, filters=filters))


def arrays(table: Any) -> dict[str, Any]:
    """Return the package's data: whole days, every column of a row of the same day."""
    columns = [str(name) for name in table]
    stations = columns[columns.index("Austin") : columns.index("California") + 1]
    teams = columns[columns.index("Blackhawks_Away") : columns.index("Cubs_Home") + 1]
    days = table["date"].to_numpy().astype(np.int64)
    target = table["ridership"].to_numpy()

    if (np.diff(days) != 1).any() or (table["Clark_Lake"].to_numpy()[_LAG:] != target[:-_LAG]).any():
        raise ValueError("expected one row for each day, and the stations' entries of 14 days before")
    stations.remove("Clark_Lake")  # the target itself
    entries = np.column_stack([target[:-_LAG], table[stations].to_numpy()[_LAG:]]) * 2000
    if abs(entries - entries.round()).max() > 1e-6:
        raise ValueError("expected entries in half thousandths")

    return {
        "first_day": days[0],  # since 1970-01-01
        "stations": np.array(["Clark_Lake", *stations]),
        "entries": entries.round().astype(np.uint16),
        "weather_names": np.array(list(_WEATHER.values())),
        "weather": table[list(_WEATHER)].to_numpy()[:-_LAG].astype(np.float32),
        "teams": np.array(teams),
        "games": table[teams].to_numpy()[:-_LAG].astype(np.uint8),
    }


if __name__ == "__main__":
    main()
