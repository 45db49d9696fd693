"""A bound for files of `torch.save`, before any of a file is allocated: no more memory than the file itself holds."""

import pickletools
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import BinaryIO

import torch

from .options import TinyBIGConversionError

_ZIP = b"PK\x03\x04"
# Older files begin with three pickles of their own, with numbers that say nothing of sizes.
_OLD_PREAMBLE, _OLD_PICKLES = 3, 5
# Opcodes whose numbers are places in the pickle's own memory, or lengths that it goes on for.
_PLACES = ("PROTO", "FRAME", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET")
_MOST_RECORDS = 100_000
# Pickles of small files hold numbers that are no sizes, such as versions.
_LEAST_LIMIT = 2**16


def check_bounded(path: Path) -> None:
    """Check that nothing in a file of `torch.save` is larger than the file.

    A few hundred bytes can name a storage of gigabytes, or unpack to them. Numbers of elements, shapes and strides are
    whole numbers in the file's pickles: none may exceed the bytes of the file.

    Raises
    ------
    TinyBIGConversionError
        If something is.
    UnpicklingError
        If it is no file of `torch.save`.
    OSError
        If the file cannot be read.
    """
    size = path.stat().st_size
    limit = max(size, _LEAST_LIMIT)
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            file.seek(0)
            for number in range(_OLD_PICKLES):
                _check_pickle(file, path, limit if number >= _OLD_PREAMBLE else None)
            return
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
        if len(records) > _MOST_RECORDS or sum(record.file_size for record in records) > size:
            raise _too_large(path)
        for record in records:
            if record.filename.endswith(".pkl"):
                with archive.open(record) as file:
                    _check_pickle(file, path, limit)  # type: ignore[arg-type]


def check_views(path: Path, name: str, tensor: torch.Tensor) -> None:
    """Check that a tensor has no more elements than its storage, as a view with strides of 0 does.

    Raises
    ------
    TinyBIGConversionError
        If it has.
    """
    if (
        tensor.layout != torch.strided
        or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()
    ):
        raise TinyBIGConversionError(
            f"{path}: {name} has the shape {tuple(tensor.shape)}, but not as many numbers: expected dense tensors, as "
            "torch.save(model.state_dict(), path) writes them"
        )


def _check_pickle(file: BinaryIO, path: Path, limit: int | None) -> None:
    try:
        for opcode, argument, _ in pickletools.genops(file):
            number = argument if isinstance(argument, int) and opcode.name not in _PLACES else 0
            is_too_large = limit is not None and abs(number) > limit
            # Of the calls that torch allows a pickle, this alone allocates memory by a number.
            is_maker = isinstance(argument, str) and argument.split(" ")[-1] == "bytearray"
            if is_too_large or is_maker:
                raise _too_large(path)
    except ValueError as error:
        if isinstance(error, TinyBIGConversionError):
            raise
        raise UnpicklingError(str(error)) from error


def _too_large(path: Path) -> TinyBIGConversionError:
    return TinyBIGConversionError(
        f"{path} asks for more memory than its own {path.stat().st_size:,} bytes hold: it is damaged, or made to do "
        "harm. None of it was loaded"
    )
