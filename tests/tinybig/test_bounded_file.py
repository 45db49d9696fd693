"""Files of `torch.save` that claim more data than they hold are refused before memory is allocated."""

import io
import pickle
import pickletools
import resource
import struct
import zipfile

import pytest
import torch

from chainhead_plugin.tinybig import TinyBIGConversionError
from chainhead_plugin.tinybig.checkpoint import read_checkpoint

HUGE = 2_000_000_000
STATE = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(3), "n": torch.tensor(7)}


def rewritten(data, change):
    """Return a zip of torch with its records changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for record in old.infolist():
            content = change(record.filename, old.read(record))
            new.writestr(record.filename, content)
    return out.getvalue()


def saved(**options):
    file = io.BytesIO()
    torch.save(STATE, file, **options)
    return file.getvalue()


def stated(data):
    """State a number of elements, 6, as two billion, wherever a pickle states it."""
    file, found = io.BytesIO(data), []
    while file.tell() < len(data) and len(found) < 100:
        start = file.tell()
        try:
            opcodes = list(pickletools.genops(file))
        except ValueError:  # the numbers after an old file's pickles
            break
        found += [place for opcode, value, place in opcodes if opcode.name == "BININT1" and value == 6]
        assert start < file.tell()
    for place in reversed(found):
        data = data[:place] + b"J" + struct.pack("<i", HUGE) + data[place + 2 :]
    return data


def deflated():
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for record in old.infolist():
            content = old.read(record)
            new.writestr(record.filename, bytes(10**7) if record.filename.endswith("data/0") else content)
    return out.getvalue()


def expanded():
    file = io.BytesIO()
    torch.save({"w": torch.zeros(1).expand(60_000, 60_000)}, file)
    return file.getvalue()


class Zeros:
    def __reduce__(self):
        return bytearray, (HUGE,)


def with_bytearray():
    return rewritten(
        saved(), lambda name, old: pickle.dumps(Zeros(), 2) if name.endswith("data.pkl") else old
    )


FORGED = {
    "elements": lambda: rewritten(
        saved(), lambda name, old: stated(old) if name.endswith("data.pkl") else old
    ),
    "elements, old format": lambda: stated(saved(_use_new_zipfile_serialization=False)),
    "deflated": deflated,
    "a view": expanded,
    "a bytearray": with_bytearray,
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_files_take_no_memory(tmp_path, name):
    data = FORGED[name]()
    assert data not in (saved(), saved(_use_new_zipfile_serialization=False))
    (tmp_path / "forged.pt").write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(TinyBIGConversionError, match=r"forged\.pt"):
        read_checkpoint(tmp_path / "forged.pt")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("new", [True, False])
def test_files_of_torch_are_read(tmp_path, new):
    torch.save({**STATE, "tied": STATE["w"]}, tmp_path / "a.pt", _use_new_zipfile_serialization=new)
    found = read_checkpoint(tmp_path / "a.pt")

    assert found.keys() == {*STATE, "tied"}
    assert all(torch.equal(found[name], value) for name, value in STATE.items())
