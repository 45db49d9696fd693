"""What the tests publish, and client code that pulls it."""

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
