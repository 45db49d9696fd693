"""What the tests publish, and client code that pulls it."""

import hashlib
import random

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
