"""The cost of the zoo around a model: importing the plugin, creating a model, calling it by a pipeline."""

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch

from ..tables import DASH, at_least, at_most, number, spread, table, verdict
from ..timing import interleave, quartiles, ratios
from .targets import CREATE_MS, IMPORT_MS, PIPELINE_SHARE

MODEL = "chainhead-japanese-vowels"
_CHAINS, _BATCH = 1000, 64
_PROCESSES = 5
_CHILD = f"""
import json, time
import transformers

def milliseconds(call):
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)

adds = milliseconds(lambda: __import__("chainhead_plugin"))
import registry
from transformers import AutoModelForSequenceClassification
creates = [milliseconds(lambda: registry.create_model("{MODEL}", pretrained=True)) for _ in range(4)]
print(json.dumps({{"import": adds, "first": creates[0], "next": sorted(creates[1:])[1]}}))
"""


def measure_loading(seed: int, rounds: int) -> dict[str, Any]:
    """Measure in processes of their own, and the pipeline in this process.

    Returns
    -------
    dict
        Milliseconds in each process to import the plugin after transformers and to create a model, the first and
        a later model; quartiles of the pipeline's share of the speed of calling extractor and model, and the model
        alone, in the same batches.
    """
    children = [_child() for _ in range(_PROCESSES)]
    milliseconds = {name: [child[name] for child in children] for name in children[0]}
    return {"milliseconds": milliseconds, "shares": _pipeline_shares(seed, rounds)}


def _child() -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - this interpreter and the code above
        [sys.executable, "-c", _CHILD], check=True, capture_output=True, text=True
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _pipeline_shares(seed: int, rounds: int) -> dict[str, Any]:
    from transformers import AutoFeatureExtractor, pipeline

    import registry

    registry.load_plugins()
    folder = registry.checkpoint_path(MODEL)
    model: Any = registry.create_model(MODEL, pretrained=True)
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    # Any: a task of this plugin's own is in no list of transformers' types.
    task: Any = "time-series-classification"
    classify: Any = pipeline(task, model=model, feature_extractor=extractor)
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(7, 30, (_CHAINS,), generator=generator).tolist()
    chains = [torch.randn(length, 12, generator=generator).numpy() for length in lengths]
    batches = [chains[start : start + _BATCH] for start in range(0, _CHAINS, _BATCH)]
    prepared = [extractor(batch, return_tensors="pt", batched=True) for batch in batches]
    with torch.no_grad():
        logits = [{"logits": model(**inputs).logits} for inputs in prepared]

    def extract_and_call() -> None:
        for batch in batches:
            model(**extractor(batch, return_tensors="pt", batched=True))

    def call() -> None:
        for inputs in prepared:
            model(**inputs)

    def extract() -> None:
        for batch in batches:
            extractor(batch, return_tensors="pt", batched=True)

    def name_labels() -> None:
        for outputs in logits:
            classify.postprocess(outputs)

    calls = {
        "pipeline": lambda: classify(chains, batch_size=_BATCH),
        "extractor and model": extract_and_call,
        "model alone": call,
        "extractor alone": extract,
        "scores and labels alone": name_labels,
    }
    with torch.no_grad():
        seconds, failures = interleave(calls, rounds, random.Random(seed))  # noqa: S311 - no secret depends on it
    if failures:
        raise RuntimeError(f"the pipeline could not be measured: {failures}")
    return {
        name: quartiles(ratios(seconds[name], seconds["pipeline"])) for name in calls if name != "pipeline"
    }


def loading_verdicts(loading: Mapping[str, Any]) -> list[str]:
    """Judge the three that have targets."""
    milliseconds, shares = loading["milliseconds"], loading["shares"]
    return [
        verdict(median(milliseconds["import"]), IMPORT_MS, at_most),
        verdict(median(milliseconds["next"]), CREATE_MS, at_most),
        verdict(shares["extractor and model"][1], PIPELINE_SHARE, at_least),
    ]


def loading_section(loading: Mapping[str, Any] | None) -> str:
    """Return the section, or nothing if it was not measured."""
    if loading is None:
        return ""
    milliseconds, shares = loading["milliseconds"], loading["shares"]
    imported, created, piped = loading_verdicts(loading)

    def spent(name: str) -> str:
        low, middle, high = (number(pick(milliseconds[name])) for pick in (min, median, max))
        return f"{middle} ms ({low}–{high})"

    body = [
        [
            "`import chainhead_plugin` after `import transformers`",
            spent("import"),
            f"≤ {IMPORT_MS:g} ms",
            imported,
        ],
        ["the first model of a process, which imports what it needs", spent("first"), DASH, ""],
        ["another one", spent("next"), f"≤ {CREATE_MS:g} ms", created],
        [
            "pipeline: share of the speed of extractor and model",
            spread(shares["extractor and model"]),
            f"≥ {PIPELINE_SHARE:g}",
            piped,
        ],
        *(
            [f"of a pipeline call's time, {name}", spread(shares[part]), DASH, ""]
            for part, name in (
                ("model alone", "the model on prepared tensors"),
                ("extractor alone", "checks and padding"),
                (
                    "scores and labels alone",
                    "scores and labels, which the extractor and the model do not give",
                ),
            )
        ),
    ]
    note = (
        f"`registry.create_model({MODEL!r}, pretrained=True)` in {_PROCESSES} processes: medians, with the range in "
        f"brackets. The pipeline gets {_CHAINS:,} chains of 7 to 29 nodes in batches of {_BATCH}."
    )
    return f"## Loading and the pipeline\n\n{note}\n\n{table(['', 'measured', 'target', ''], body)}"
