"""What all tests share."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
import torch

# Without a CUDA device Triton's kernels run in its interpreter, which has to be said before they are defined.
if not torch.cuda.is_available() and importlib.util.find_spec("triton"):
    os.environ["TRITON_INTERPRET"] = "1"

# `training` and `benchmarks` are not installed: importable, behind everything that is.
sys.path.append(str(Path(__file__).parents[1]))


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    torch.manual_seed(0)
