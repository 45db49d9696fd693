"""The model card of a chainhead model, rendered anew unless a person wrote or edited it."""

import re
from collections.abc import Iterable

from huggingface_hub import ModelCard, ModelCardData

from ..config.configuration_chainhead import ChainHeadConfig
from ..config.configuration_random_chain import RandomChainConfig
from ..storage.hashing import sha256
from .card_template import PICTURE
from .card_text import card_text
from .facts import chain_picture, model_facts, model_words
from .uses import Use, sizes_of, use_of

# Files that tell that a preprocessor of the model's inputs is saved beside it.
PREPROCESSORS = ("preprocessor_config.json", "video_preprocessor_config.json", "tokenizer_config.json")

# The text that transformers and the Hub's client put in place of a card: no person has written any of it.
_PLACEHOLDER = ModelCard.from_template(
    ModelCardData(),
    model_description="This is the model card of a 🤗 transformers model that has been pushed on the Hub. This "
    "model card has been automatically generated.",
).text
_MARK = re.compile(r"\n<!-- Rendered by chainhead, sha256 ([0-9a-f]{64})\. Edited cards are kept\. -->\n*\Z")


def render_card(
    config: ChainHeadConfig | RandomChainConfig,
    model_class: type,
    parameters: int,
    *,
    repo_id: str,
    license: str | None = None,  # noqa: A002 (the front matter's own word)
    tags: Iterable[str] = (),
    has_preprocessor: bool = False,
    with_code: bool = False,
    draft: ModelCard | None = None,
) -> dict[str, bytes]:
    """Render the card of a model.

    Parameters
    ----------
    config : ChainHeadConfig or RandomChainConfig
    model_class : type
        The model's class.
    parameters : int
        Number of its weights.
    repo_id : str
        Where it is going to be, for the snippets.
    license : str, optional
        Identifier of the weights' licence, such as ``"apache-2.0"``.
    tags : iterable of str
        More tags.
    has_preprocessor : bool
        Whether a feature extractor, processor or tokenizer is beside the model, as most pipelines need.
    with_code : bool
        Whether the repository holds the code that machines without the plugin need.
    draft : ModelCard, optional
        Trainer's own card: its front matter and its account of the training are taken over.

    Returns
    -------
    dict of bytes
        By path in the repository: README.md, and the picture that it shows, if any.
    """
    use = use_of(model_class, config)
    picture = chain_picture(config)
    introduction, limits = model_words(config)
    data = _front_matter(use, license, tags, draft)

    facts = {
        "repo_id": repo_id,
        "use": use,
        "architecture": model_class.__name__,
        "parameters": parameters,
        "example": use and use.example.format_map(sizes_of(config)),
        "pipeline_example": use and use.pipeline_example.format_map(sizes_of(config)),
        "has_preprocessor": has_preprocessor,
        "with_code": with_code,
        "facts": model_facts(config, is_classifier=use is not None and use.output == "logits"),
        "introduction": introduction,
        "limits": limits,
        "picture": picture,
        "picture_path": PICTURE,
        "training": _training(draft) or "The authors of the model do not state its data and training.",
        "licence": f"`{data.license}`" if data.license else "Not stated by the authors of the model.",
    }

    text = card_text(data, repo_id.rpartition("/")[2], "pushed", facts)
    mark = f"\n<!-- Rendered by chainhead, sha256 {sha256(text.encode())}. Edited cards are kept. -->\n"
    files = {"README.md": (text + mark).encode()}
    if picture is not None:
        files[PICTURE] = picture.png
    return files


def is_generated(text: str) -> bool:
    """Tell whether a card may be rendered anew: it is `render_card`'s or transformers', and no person changed it."""
    mark = _MARK.search(text)
    if mark is None:
        return ModelCard(text, ignore_metadata_errors=True).text.strip() == _PLACEHOLDER.strip()
    return sha256((text[: mark.start()].rstrip() + "\n").encode()) == mark[1]


def _front_matter(
    use: Use | None,
    license: str | None,  # noqa: A002
    tags: Iterable[str],
    draft: ModelCard | None,
) -> ModelCardData:
    known = {} if draft is None else draft.data.to_dict()  # type: ignore[no-untyped-call]
    task = use and use.task
    ours = ["chainhead", *([task] if task else []), "tinybig"]
    known |= {
        "library_name": "transformers",
        "tags": list(dict.fromkeys([*ours, *known.get("tags", ()), *tags])),
    }
    if task:
        known["pipeline_tag"] = task
    if license:
        known["license"] = license
    return ModelCardData(**known)


def _training(draft: ModelCard | None) -> str:
    """Return Trainer's account: the measured results, and everything from its section on training on."""
    if draft is None:
        return ""
    introduction, _, rest = draft.text.partition("\n## ")
    _, _, procedure = rest.partition("## Training procedure\n")
    results = introduction.partition("It achieves the following results on the evaluation set:\n")
    parts = ["Results on the evaluation set:\n\n" + results[2].strip()] if results[1] else []
    return "\n\n".join([*parts, procedure.strip()])
