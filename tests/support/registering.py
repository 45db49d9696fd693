"""Registers the classes many times, in threads and in processes of every kind, and counts where they were known.

Prints {"threads": n, "forked": n, "spawned": n, "workers": n}.
"""

import json
import multiprocessing
import sys
from concurrent.futures import ThreadPoolExecutor

import torch
from torch.utils.data import DataLoader, Dataset

import chainhead_plugin


def is_known(_=None):
    """Register, and tell whether the Auto classes find the plugin's."""
    chainhead_plugin.register()
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model("chainhead", m=3)
    model = AutoModel.from_config(config)
    return type(model) is chainhead_plugin.ChainHeadModel and type(config) is chainhead_plugin.ChainHeadConfig


class Known(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.tensor(is_known())


def main():
    with ThreadPoolExecutor(16) as pool:
        threads = sum(pool.map(is_known, range(100)))
    found = {"threads": threads}
    for method, name in (("fork", "forked"), ("spawn", "spawned")):
        with multiprocessing.get_context(method).Pool(2) as pool:
            found[name] = sum(pool.map(is_known, range(4)))
    found["workers"] = int(sum(batch.sum() for batch in DataLoader(Known(), batch_size=2, num_workers=2)))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
