"""The options of a pretrained encoder in a recipe."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...checks.values import check_switch, check_whole_number
from ..errors import RecipeError, said_of
from .random_chains import MODEL_TYPE

if TYPE_CHECKING:
    from ..recipe import Recipe

_PLACES = ("folder", "package", "repository")
_OPTIONS = (*_PLACES, "revision", "sha256", "frozen")
# Only texts can be cut: of a series or a sound nothing is left out.
_OF_TEXTS = ("max_length",)
_FROM_ENCODER = ("m", "vocab_size", "pad_token_id", "backbone_config", "freeze_backbone")


def check_encoder(recipe: "Recipe") -> None:
    """Check the options of a recipe's encoder, and that the model does not contradict them.

    Raises
    ------
    RecipeError
        If an option is unknown or not valid, or the model states a field that follows from the encoder.
    """
    encoder = recipe.encoder
    options = _OPTIONS + _OF_TEXTS if recipe.task.reads == "text" else _OPTIONS
    if unknown := sorted(encoder.keys() - {*options}):
        raise RecipeError(f"encoder has no {unknown[0]!r}: expected {', '.join(options)}")
    places = [name for name in _PLACES if name in encoder]
    if len(places) != 1 or not isinstance(encoder[places[0]], str):
        raise RecipeError(f"encoder must name its place by a single text, as {', '.join(_PLACES)}")
    if "revision" in encoder and places != ["repository"]:
        raise RecipeError("encoder: revision has no effect without repository")

    hashes = encoder.get("sha256", {})
    if not isinstance(hashes, Mapping) or not all(isinstance(digest, str) for digest in hashes.values()):
        raise RecipeError(f"encoder: sha256 must hold a hash for every file it names, got {hashes!r}")
    with said_of("encoder"):
        check_switch("frozen", encoder.get("frozen", True))
        check_whole_number("max_length", encoder.get("max_length", 1), 1)

    if recipe.model.get("model_type") == MODEL_TYPE:
        raise RecipeError(
            "encoder has no effect on random chain heads, which read series themselves: leave either of the two out"
        )
    if given := [name for name in _FROM_ENCODER if name in recipe.model]:
        raise RecipeError(f"model: {given[0]} follows from the encoder, leave it out")
