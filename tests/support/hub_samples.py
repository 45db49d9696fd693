"""Files that the tests publish, and client code that pulls them."""

import hashlib
import random
from pathlib import Path

import chainhead_plugin

MIB = 2**20
SMALL = {
    "config.json": b'{"model_type": "chainhead"}',
    "README.md": b"---\nlicense: mit\ntags: [a]\n---\n# Hi\n",
}

PULL = """
import hashlib, json
from huggingface_hub import hf_hub_download
def pull(file="model.safetensors", **options):
    with open(hf_hub_download("me/model", file, **options), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()
"""


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


NAME = "chainhead-japanese-vowels"
CHECKPOINT = Path(chainhead_plugin.__file__).with_name("checkpoints") / NAME
MODEL = {file.name: file.read_bytes() for file in CHECKPOINT.iterdir()} | {
    "README.md": b"---\nlicense: mit\n---\n# A model\n"
}

# What a client does before it calls `pulled`.
VERIFIED = """
import hashlib, registry
def pulled(*arguments, **options):
    folder = registry.pull(*arguments, **options)
    found = [p for p in folder.rglob("*") if p.is_file()]
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}
"""


# Every class of models, a small configuration of it, and the Auto class that finds it: a line each.
CLASSES = [
    ("ChainHeadModel", {"m": 3, "hidden_sizes": [8, 5], "with_batch_norm": True}, "AutoModel"),
    (
        "ChainHeadForSequenceClassification",
        {"m": 3, "n": 6, "with_multihop": True, "h": 2, "num_labels": 4, "with_lorr": True, "channel_num": 2},
        "AutoModelForSequenceClassification",
    ),
    (
        "ChainHeadForTokenClassification",
        {
            "m": 3,
            "hidden_sizes": [4, 4],
            "bi_directional": True,
            "with_taylor": True,
            "num_labels": 3,
            "vocab_size": 9,
        },
        "AutoModelForTokenClassification",
    ),
    (
        "ChainHeadForTimeSeriesPrediction",
        {
            "m": 5,
            "chain_length": 8,
            "prediction_length": 3,
            "pooling": "flatten",
            "quantiles": [0.1, 0.5, 0.9],
        }
        | {"num_time_features": 2},
        "AutoModelForTimeSeriesPrediction",
    ),
    (
        "ChainHeadForImageClassification",
        {"image_size": [8, 6], "num_channels": 1, "patch_size": 2, "n": 24, "num_labels": 3},
        "AutoModelForImageClassification",
    ),
    (
        "ChainHeadForAudioClassification",
        {
            "backbone_config": {
                "model_type": "wav2vec2",
                "hidden_size": 8,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 8,
                "conv_dim": [4],
                "conv_kernel": [10],
                "conv_stride": [5],
                "num_conv_pos_embeddings": 4,
                "num_conv_pos_embedding_groups": 2,
            },
            "hidden_sizes": [6],
            "num_labels": 3,
        },
        "AutoModelForAudioClassification",
    ),
    (
        "ChainHeadForVideoClassification",
        {
            "backbone_config": {
                "model_type": "videomae",
                "qkv_bias": False,  # transformers saves those biases under other names
                "image_size": 8,
                "patch_size": 4,
                "num_frames": 4,
                "hidden_size": 8,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 8,
            },
            "hidden_sizes": [6],
            "num_labels": 3,
        },
        "AutoModelForVideoClassification",
    ),
]
