"""Fixtures and settings of all tests."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
import torch

# Without a CUDA device Triton's kernels run in its interpreter, which has to be said before they are defined.
if not torch.cuda.is_available() and importlib.util.find_spec("triton"):
    os.environ["TRITON_INTERPRET"] = "1"

# Workers that run side by side share the processor.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    threads = max(1, (os.cpu_count() or 1) // workers)
    torch.set_num_threads(threads)
    # So do the processes that tests start. More threads than cores would wait for each other in busy loops.
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))

# `release` and `benchmarks` are not installed: importable, behind everything that is.
sys.path.append(str(Path(__file__).parents[1]))


def pytest_collection_modifyitems(items):
    """Begin with the slowest test, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not item.name.startswith("test_training_on_an_encoder_as_its_card_says"))


def pytest_addoption(parser):
    parser.addoption(
        "--full",
        action="store_true",
        help="run the reliability tests with the counts of docs/reliability.md, which takes an hour",
    )


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _transformers_says_what_it_says():
    """Undo what the command line does to transformers' logging and progress bars, in whose process tests run it."""
    yield
    if logging := sys.modules.get("transformers.utils.logging"):
        logging.set_verbosity_warning()
        logging.enable_progress_bar()


@pytest.fixture(autouse=True)
def _compiled_anew():
    """Forget what a test compiled: torch counts compilations of a function, and refuses more than a few."""
    yield
    if dynamo := sys.modules.get("torch._dynamo"):
        dynamo.reset()


@pytest.fixture
def one_thread():
    """Threads that wait for each other on a busy machine are what makes small measurements noisy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
