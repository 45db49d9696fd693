"""Does everything that the plugin does with files, while no pickle may look up a class.

Usage: without_pickle.py FOLDER. Prints the suffixes of all written files.
"""

import json
import sys
from pathlib import Path

import numpy as np

import registry
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
)

registry.load_plugins()


def refuse(event, arguments):
    if event == "pickle.find_class":
        raise RuntimeError(f"a pickle asks for {arguments}")


def main(folder):
    from transformers import AutoModel, pipeline

    sys.addaudithook(refuse)
    config = ChainHeadConfig(m=3, hidden_sizes=[8, 8], with_batch_norm=True)
    extractor = ChainHeadFeatureExtractor(feature_size=3).fit(np.eye(3))
    for model_class in (ChainHeadModel, ChainHeadForSequenceClassification, ChainHeadForTokenClassification):
        place = folder / model_class.__name__
        for options in ({}, {"max_shard_size": "1KB"}, {"variant": "other"}):
            model_class(config).save_pretrained(place, **options)
        extractor.save_pretrained(place)
        assert isinstance(model_class.from_pretrained(place), model_class)
        AutoModel.from_pretrained(place)
    classifier = pipeline(
        "time-series-classification", model=str(folder / "ChainHeadForSequenceClassification")
    )
    classifier([np.eye(3), np.eye(3)], batch_size=2)
    classifier.save_pretrained(folder / "pipeline")
    for name in registry.list_models():
        registry.create_model(name, pretrained=True)
    sys.stdout.write(json.dumps(sorted({file.suffix for file in folder.rglob("*") if file.is_file()})) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
