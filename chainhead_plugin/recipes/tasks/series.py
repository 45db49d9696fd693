"""A label for every time series."""

from ..task import CardWords
from .classification import Classification
from .whole_series import PEERS_OF_SERIES, WholeSeries

# For each sample, its true label and the predicted label.
PRINT_LABELS = """\
for sample, label in zip(samples, logits.argmax(-1).tolist(), strict=True):
    print(sample["label"], "->", model.config.id2label[label])"""
READ_CHAINS = """\
chains = [sample["nodes"] for sample in samples]  # each [nodes{features}]
inputs = extractor(chains, return_tensors="pt", batched=True)"""


class SeriesClassification(WholeSeries, Classification):
    """Each time series is a chain of nodes, and has a label."""

    name = "time-series-classification"
    options = ("encoder", "class_weight")
    peers = (*Classification.peers, *PEERS_OF_SERIES, "random_chains")
    default_peers = (*Classification.default_peers, "minirocket")
    words = CardWords(
        preprocessor="extractor",
        auto_preprocessor="AutoFeatureExtractor",
        inputs=READ_CHAINS,
        answers=PRINT_LABELS,
        pipeline_answers='print(classifier(samples[0]["nodes"], top_k=2))',
    )
