"""Promise 5: no pickle is read or written."""

import pickle

import pytest
import torch
from transformers import AutoModel

from chainhead_plugin import ChainHeadConfig, ChainHeadModel


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was read",))


def test_nothing_of_ours_reads_or_writes_one(run_program, tmp_path):
    assert set(run_program("without_pickle.py", tmp_path, imports=True)) == {".json", ".safetensors"}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl"])
@pytest.mark.parametrize("loader", [AutoModel, ChainHeadModel])
def test_a_folder_with_nothing_else_is_refused(loader, name, tmp_path):
    model = ChainHeadModel(ChainHeadConfig(m=3))
    model.config.save_pretrained(tmp_path)
    if name.endswith(".pkl"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil()))
    else:
        torch.save({**model.state_dict(), "evil": Evil()}, tmp_path / name)
    with pytest.raises(OSError, match="safetensors"):
        loader.from_pretrained(tmp_path)
