"""Inputs for tests of pipelines."""

from torch.utils.data import Dataset


class DatasetOf(Dataset):
    """A data set of these items."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]
