"""The model card of a chainhead model: rendered from what is known, and never in place of somebody's own."""

import hashlib
import importlib
import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from huggingface_hub import ModelCard, ModelCardData

from ..chain.reference import interdependence_matrix
from ..config.configuration_chainhead import ChainHeadConfig
from ..config.images import height_and_width
from ..head.options import chain_of
from .matrix_png import draw_matrix

# What tells that there is something beside the model that prepares its inputs.
PREPROCESSORS = ("preprocessor_config.json", "tokenizer_config.json")
PICTURE = "images/chain-matrix.png"
_SHOWN_NODES = 12
_SHOWN_LABELS = 20


class _Use(NamedTuple):
    """How a class is used."""

    auto_class: str
    purpose: str
    # The argument of `forward` in a snippet, and the attribute of what it returns.
    example: str
    output: str
    # Its pipeline's task, an input for it, what that needs to be imported, and whether the pipeline needs a
    # preprocessor beside the model.
    task: str | None = None
    pipeline_example: str = ""
    pipeline_import: str = ""
    needs_preprocessor: bool = True


_CHAINS = "input_features=torch.zeros(1, {length}, {m})"
_CHAIN = "[[0.0] * {m}] * {length}"

_USES = {
    "ChainHeadModel": _Use(
        "AutoModel",
        "gives the features of every node",
        _CHAINS,
        "last_hidden_state",
        "chain-feature-extraction",
        _CHAIN,
    ),
    "ChainHeadForSequenceClassification": _Use(
        "AutoModelForSequenceClassification",
        "classifies sequences",
        _CHAINS,
        "logits",
        "time-series-classification",
        _CHAIN,
    ),
    "ChainHeadForTokenClassification": _Use(
        "AutoModelForTokenClassification",
        "classifies every node of a sequence",
        _CHAINS,
        "logits",
        "time-series-segmentation",
        _CHAIN,
    ),
    "ChainHeadForImageClassification": _Use(
        "AutoModelForImageClassification",
        "classifies images",
        "pixel_values=torch.zeros(1, {image_channels}, {height}, {width})",
        "logits",
        "image-classification",
        'Image.new("RGB", ({width}, {height}))',
        "from PIL import Image",
    ),
    "ChainHeadForTimeSeriesPrediction": _Use(
        "AutoModelForTimeSeriesPrediction",
        "forecasts time series",
        "past_values=torch.rand(1, {length}, {num_input_channels}){covariates}",
        "prediction_outputs",
        "time-series-forecasting",
        "[[0.0] * {series_width}] * {length}{coming}",
        needs_preprocessor=False,
    ),
}

# Of models whose nodes are tokens.
_TEXT_TASKS = {
    "AutoModel": "feature-extraction",
    "AutoModelForSequenceClassification": "text-classification",
    "AutoModelForTokenClassification": "token-classification",
}

_KINDS = {
    "single_hop": "single hop",
    "multihop": "multihop",
    "inverse": "inverse, all hops",
    "exponential": "exponential",
}

_TEMPLATE = (
    """\
---
{{ card_data }}
---

# {{ name }}

A chain head model{% if use %} that {{ use.purpose }}{% endif %}: `{{ architecture }}` with \
{{ "{:,}".format(parameters) }} weights. \
Each node of a chain takes in its neighbours through a fixed matrix, exactly and in time linear in the length, \
and is then mapped to new features.

## Use

```bash
pip install chainhead-plugin
```
{% if use and use.task and (has_preprocessor or not use.needs_preprocessor) %}
```python
import chainhead_plugin  # makes transformers know the model
{% if use.pipeline_import %}{{ use.pipeline_import }}
{% endif %}from transformers import pipeline

run = pipeline("{{ use.task }}", model="{{ repo_id }}")
print(run({{ pipeline_example }}))
```
{% endif %}{% if use %}
```python
import chainhead_plugin  # makes transformers know the model
import torch
from transformers import {{ use.auto_class }}

model = {{ use.auto_class }}.from_pretrained("{{ repo_id }}")
with torch.no_grad():
    outputs = model({{ example }})
print(outputs.{{ use.output }}.shape)
```
{% endif %}{% if with_code %}
Without the plugin, leave its import out and pass `trust_remote_code=True`: the repository holds the code that it needs.
{% endif %}
## Model

| | |
|---|---|
| features of a node | {{ config.m }} before, {{ config.n }} after |
| layers | {{ config.hidden_sizes | join(", ") if config.hidden_sizes else "one chain head" }} |
| chain | {{ kind }}, {{ "bi-directional" if config.bi_directional else "uni-directional (causal)" }} |
| weights | {{ reconciliation }}, {{ config.channel_num }} channel{{ "s" if config.channel_num > 1 }} |
| around them | {{ extras | join(", ") or "nothing" }} |
{% if is_classifier -%}
| labels | {{ labels | join(", ") }}{{ ", …" if config.num_labels > labels | length }} |
{% endif %}
![Chain matrix]("""
    + PICTURE
    + """)

The chain matrix for {{ shown }} nodes: row i, column j is what node i gives to node j. White is 0, blue positive, \
red negative; the deepest colour is {{ "%.4g" | format(largest) }} in size.

## Training

{{ training }}

## Limits

The chain's matrix is fixed: it does not look at the data. Compare with the same model without hops, and with what \
you would use otherwise, on data of your own.

## Licence

{{ licence }}

## Citation

The chain interdependence head comes from [tinyBIG](https://github.com/jwzhanggy/tinyBIG) (RPN: Reconciled \
Polynomial Network) by Jiawei Zhang; this is the implementation in `chainhead-plugin`.
"""
)

# What transformers and the client put in place of a card; nobody has written any of it.
_PLACEHOLDER = ModelCard.from_template(
    ModelCardData(),
    model_description="This is the model card of a 🤗 transformers model that has been pushed on the Hub. This "
    "model card has been automatically generated.",
).text
_MARK = re.compile(r"\n<!-- Rendered by chainhead, sha256 ([0-9a-f]{64})\. Edited cards are kept\. -->\n*\Z")


def render_card(
    config: ChainHeadConfig,
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
    config : ChainHeadConfig
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
        What Trainer knows: its front matter and its account of the training are taken over.

    Returns
    -------
    dict of bytes
        By path in the repository: README.md, and the picture that it shows.
    """
    use = _use(model_class, config)
    chain = chain_of(config.layer_options(0)[1])
    matrix = interdependence_matrix(chain, _SHOWN_NODES).numpy()
    data = _front_matter(use, license, tags, draft)
    card = ModelCard.from_template(
        data,
        template_str=_TEMPLATE,
        name=repo_id.rpartition("/")[2],
        repo_id=repo_id,
        use=use,
        architecture=model_class.__name__,
        parameters=parameters,
        config=config,
        example=use and use.example.format_map(_sizes(config)),
        pipeline_example=use and use.pipeline_example.format_map(_sizes(config)),
        has_preprocessor=has_preprocessor,
        with_code=with_code,
        kind=_KINDS[chain.kind] + (f" up to {chain.hops}" if chain.kind == "multihop" else ""),
        reconciliation="LORR" if config.with_lorr else "dual LPHM" if config.with_dual_lphm else "plain",
        extras=_extras(config),
        is_classifier=use is not None and use.output == "logits",
        labels=[
            str(config.id2label[i]).replace("|", "\\|") for i in range(min(config.num_labels, _SHOWN_LABELS))
        ],
        shown=_SHOWN_NODES,
        largest=abs(matrix).max(),
        training=_training(draft) or "Data and training are not stated by whoever published the model.",
        licence=f"`{data.license}`" if data.license else "Not stated by whoever published the model.",
    )
    text = str(card).rstrip() + "\n"
    mark = f"\n<!-- Rendered by chainhead, sha256 {_digest(text)}. Edited cards are kept. -->\n"
    return {"README.md": (text + mark).encode(), PICTURE: draw_matrix(matrix)}


def task_of(model_class: type, config: ChainHeadConfig) -> str | None:
    """Return the pipeline task of a model, None if it has none."""
    use = _use(model_class, config)
    return use and use.task


def _use(model_class: type, config: ChainHeadConfig) -> _Use | None:
    """Return the use of a class, or of the class that it derives from."""
    use = next((_USES[cls.__name__] for cls in model_class.__mro__ if cls.__name__ in _USES), None)
    if use is None or getattr(config.get_text_config(), "vocab_size", None) is None:
        return use
    return use._replace(
        example="input_ids=torch.zeros(1, {length}, dtype=torch.long)",
        task=_TEXT_TASKS.get(use.auto_class),
        pipeline_example='"Some text."',
    )


def is_nobodys(text: str) -> bool:
    """Tell whether a card may be rendered anew: nobody wrote it, or changed what `render_card` wrote."""
    mark = _MARK.search(text)
    if mark is None:
        return ModelCard(text, ignore_metadata_errors=True).text.strip() == _PLACEHOLDER.strip()
    return _digest(text[: mark.start()].rstrip() + "\n") == mark[1]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _front_matter(
    use: _Use | None,
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


def _sizes(config: ChainHeadConfig) -> dict[str, object]:
    """Return what the examples of `_USES` are made of."""
    length, channels = min(20, config.chain_length), config.num_input_channels
    covariates = coming = ""
    if config.num_time_features:
        past, future = ((1, steps, config.num_time_features) for steps in (length, config.prediction_length))
        covariates = f", past_time_features=torch.zeros{past}, future_time_features=torch.zeros{future}"
        row = f"[None] * {channels} + [0.0] * {config.num_time_features}"
        coming = f" + [{row}] * {config.prediction_length}"
    image_channels, height, width = _image_shape(config)
    return {
        "m": config.m,
        "length": length,
        "num_input_channels": channels,
        "series_width": channels + config.num_time_features,
        "covariates": covariates,
        "coming": coming,
        "image_channels": image_channels,
        "height": height,
        "width": width,
    }


def _image_shape(config: ChainHeadConfig) -> tuple[int, int, int]:
    """Return the channels, height and width of images that a model takes; of an image model."""
    backbone = config.backbone_config
    if getattr(backbone, "model_type", None) == "timm_backbone":
        # By name: what a checkpoint without such a backbone carries must not ask for timm.
        timm = importlib.import_module("timm")
        trained = timm.get_pretrained_cfg(backbone.backbone)  # type: ignore[union-attr]
        _, height, width = trained.input_size if trained else (3, 224, 224)
        return getattr(backbone, "num_channels", 3), height, width
    if backbone is not None:
        size = getattr(backbone, "image_size", None) or 224
        return (getattr(backbone, "num_channels", 3), *height_and_width(size))
    if config.image_size is not None:
        return (config.image_channels, *height_and_width(config.image_size))
    side = (config.patch_size or 1) * min(14, math.isqrt(config.chain_length))
    return config.image_channels, side, side


def _extras(config: ChainHeadConfig) -> list[str]:
    names = {
        "with_taylor": f"Taylor expansion of degree {config.d}",
        "with_residual": "residual",
        "enable_bias": "bias",
        "with_batch_norm": "BatchNorm",
        "with_relu": "ReLU",
        "with_dropout": f"dropout {config.p}",
        "with_softmax": "softmax",
    }
    return [text for name, text in names.items() if getattr(config, name)]
