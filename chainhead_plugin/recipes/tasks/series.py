"""A label for every time series."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..task import CardWords
from .classification import Classification

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Examples
    from ..recipe import Recipe

# For each sample, its true label and the predicted label.
PRINT_LABELS = """\
for sample, label in zip(samples, logits.argmax(-1).tolist(), strict=True):
    print(sample["label"], "->", model.config.id2label[label])"""
READ_CHAINS = """\
chains = [sample["nodes"] for sample in samples]  # each [nodes{features}]
inputs = extractor(chains, return_tensors="pt", batched=True)"""


# Peers from aeon, which read whole series and are fitted without epochs.
PEERS_OF_SERIES = ("minirocket", "multirocket_hydra", "quant", "dtw")


class SeriesClassification(Classification):
    """Each time series is a chain of nodes, and has a label."""

    name = "time-series-classification"
    peers = (*Classification.peers, *PEERS_OF_SERIES, "random_chains")
    default_peers = (*Classification.default_peers, "minirocket")
    words = CardWords(
        preprocessor="extractor",
        auto_preprocessor="AutoFeatureExtractor",
        inputs=READ_CHAINS,
        answers=PRINT_LABELS,
        pipeline_answers='print(classifier(samples[0]["nodes"], top_k=2))',
    )

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit a feature extractor."""
        from ..candidates.inputs.chains import prepare_chains

        return prepare_chains(training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the feature extractor."""
        from ..candidates.inputs.chains import load_chains

        return load_chains(folder)
