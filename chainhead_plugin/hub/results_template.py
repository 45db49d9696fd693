"""The text about a recipe's results in its model card, a Jinja template that the card's template includes."""
# ruff: noqa: E501 - a line of the template is a line of the card.

RESULTS = r"""
{% if recipe.is_random_chain %}
All models have the same splits and seeds.{% if models.values() | rejectattr("learning_rate", "none") | list %} The trained peers have the epochs, batches, optimiser and weight decay above, each a learning rate that validation chose for it, and pool by the maximum (InceptionTime's network by the mean); random chain heads have none of these.{% endif %}
{%- else %}
All {{ "trained " if "random_chains" in models }}models have the same splits, seeds, epochs, batches, optimiser, weight decay{{ " and dropout" if of_nodes else ", dropout and (but for the MLP) pooling" }}, and about the same number of weights{% if "inception" in models %} (InceptionTime's network as many as its authors gave it){% endif %}; the learning rate was chosen for each, by validation.{% if "random_chains" in models %} Random chain heads are the model that `ChainHeadClassifier` trains where no option is given: frozen kernels and a linear map in closed form, on the same splits and seeds.{% endif %}
{%- endif %}
{% if in_one_go %} {{ in_one_go | join(", ") }}, from {{ "statsforecast" if findings.columns is defined else "aeon" }}, {{ "has its" if in_one_go | length == 1 else "have their" }} authors' settings and the same splits{% if findings.columns is not defined %} and seeds, and {{ "reads" if in_one_go | length == 1 else "read" }} the nodes that the model reads{% endif %}{% for note in notes %}; {{ note }}{% endfor %}.{% endif %}{% if of_nodes %} Each classifies every node, the MLP without its neighbours{{ ", LSTM and GRU from both ends" if config.bi_directional }}; accuracy is the share of all nodes.{% endif %} {{ heading }}: {{ "the mean of the folds" if recipe.validation_folds else "the value of the first seed's run" }} for validation, {{ "mean ± standard deviation over the seeds" if seeds | length > 1 else "the value of the single seed" }} for test.

| model | weights | learning rate | validation | test | seconds a run | seconds to predict |
|---|---:|---:|---:|---:|---:|---:|
{% for model in models.values() %}
| {{ model.title }} | {{ "{:,}".format(model.parameters) if model.parameters is not none else "–" }} | {{ model.learning_rate or "–" }} | {{ metric.text(model.validation) }} | {{ metric.spread(model.outcomes[metric.name]) }} | {{ model.training_seconds }} | {{ model.prediction_seconds or "–" }} |
{% endfor %}
{% for title, baseline in baselines.items() %}
| {{ title }} | 0 | – | {{ metric.text(baseline.validation) }} | {{ metric.text(baseline.outcomes[metric.name].mean) }} | – | – |
{% endfor %}

{% if metrics | length > 2 and fully_measured | length == 1 and models | length > 1 %}
The model by other metrics, {{ "means over the seeds" if seeds | length > 1 else "of the single seed" }}: {% for other in metrics[1:] %}{{ other.in_unit(card.unit) }} {{ other.text(chain.outcomes[other.name].mean) }}{{ ", " if not loop.last }}{% endfor %}. Its peers were measured before these metrics were, by {{ metric.title }} alone.

{% elif metrics | length > 2 %}
Test, {{ "means over the seeds" if seeds | length > 1 else "of the single seed" }}{% if fully_measured | rejectattr("gives_scores") | list %}; log loss and AUC need scores of labels, which not every model gives{% endif %}{% if fully_measured | length < models | length %}. Peers that are not in this table were measured before these metrics were, by {{ metric.title }} alone{% endif %}:

| model |{% for other in metrics %} {{ other.in_unit(card.unit) }} |{% endfor +%}
|---|{% for other in metrics %}---:|{% endfor +%}
{% for model in fully_measured %}
| {{ model.title }} |{% for other in metrics %} {{ other.text(model.outcomes[other.name].mean) }} |{% endfor +%}
{% endfor %}

{% endif %}
{% if findings.season is defined %}
MASE is the mean absolute error in units of a naive forecast's in the training part, {{ "the last value" if findings.season == 1 else "the value " ~ findings.season ~ " steps before" }}.{% if findings.calibrated_on is defined %} Quantiles were calibrated after training on the {{ "{:,}".format(findings.calibrated_on) }} windows of the validation part, by split conformal prediction; these also chose learning rate{{ " and epoch" if recipe.early_stopping }}.{% endif +%}

{% endif %}
{% if findings.by_series is defined %}
The published model's forecasts of the test part by series:

| series | windows |{% for other in metrics %} {{ other.in_unit(card.unit) }} |{% endfor +%}
|---|---:|{% for other in metrics %}---:|{% endfor +%}
{% for part in findings.by_series %}
| {{ [part.series, part.target] | select | join(", ") | cell }} | {{ "{:,}".format(part.windows) }} |{% for other in metrics %} {{ other.text(part[other.name]) }} |{% endfor +%}
{% endfor %}

{% endif %}
{% if findings.backtest is defined %}
{% set stretches = (findings.backtest.values() | first).origins %}
The test part in {{ stretches | length }} successive stretches of time, which the published model forecasts without being trained again: mean ± standard deviation over the stretches, then {{ metric.in_unit(card.unit) }} of each.

| model |{% for other in metrics %} {{ other.in_unit(card.unit) }} |{% endfor +%}
|---|{% for other in metrics %}---:|{% endfor +%}
{% for title, part in findings.backtest.items() %}
| {{ title }} |{% for other in metrics %} {{ other.text(part.summary[other.name].mean) }}{% if part.summary[other.name].sd is not none %} ± {{ other.text(part.summary[other.name].sd, part.summary[other.name].mean) }}{% endif %} |{% endfor +%}
{% endfor %}

| model |{% for _ in stretches %} {{ loop.index }} |{% endfor +%}
|---|{% for _ in stretches %}---:|{% endfor +%}
{% for title, part in findings.backtest.items() %}
| {{ title }} |{% for origin in part.origins %} {{ metric.text(origin[metric.name]) }} |{% endfor +%}
{% endfor %}

{% endif %}
{% if metrics | length == 2 %}
{{ metrics[1].in_unit(card.unit) }}: {% for model in fully_measured %}{{ model.title }} {{ metrics[1].spread(model.outcomes[metrics[1].name]) }}{{ ", " if baselines or not loop.last }}{% endfor %}{% for title, baseline in baselines.items() %}{{ title }} {{ metrics[1].text(baseline.outcomes[metrics[1].name].mean) }}{{ ", " if not loop.last }}{% endfor %}.

{% endif %}
{% if findings.speed is defined %}
{% set speed = findings.speed %}
How fast they are: milliseconds of a training step ({{ speed.batch }} examples) and of a prediction ({{ speed.predicted }} test examples), medians of {{ speed.rounds }} rounds in which all took turns, on {{ speed.threads }} thread{{ "s" if speed.threads > 1 }}, preprocessing left out.

| model | training step | × chain head | prediction | × chain head |
|---|---:|---:|---:|---:|
{% for key, model in models.items() if key in speed.models %}
{% set timed = speed.models[key] %}
| {{ model.title }} | {{ timed.training.milliseconds[1] }} | {{ "%.2f" | format(timed.training.ratio[1]) }} | {{ timed.prediction.milliseconds[1] }} | {{ "%.2f" | format(timed.prediction.ratio[1]) }} |
{% endfor %}

{% endif %}
{% if words.picture_above %}
{{ words.picture_above.replace("{pictures}", pictures) }}

{% endif %}
{% if models | length > 1 %}
![Test {{ metric.title }} of every seed]({{ pictures }}comparison.png)

{% endif %}
{% if findings.confusion is defined %}
{% set confusion = findings.confusion %}
How the published model names the labels of the test part, and how many {{ "nodes" if of_nodes else "examples" }} there are of each:

| label | training | test | precision in % | recall in % | F1 in % |
|---|---:|---:|---:|---:|---:|
{% for label in confusion.labels %}
| {{ label.name | cell }} | {{ "{:,}".format(findings.label_counts[label.name]) }} | {{ "{:,}".format(label.count) }} |{% for share in [label.precision, label.recall, label.f1] %} {{ percent(share) if share is not none else "not defined" }} |{% endfor +%}
{% endfor %}

{% if confusion.labels | length <= 12 %}
Rows are true labels, columns predicted ones:

| |{% for label in confusion.labels %} {{ label.name | cell }} |{% endfor +%}
|---|{% for label in confusion.labels %}---:|{% endfor +%}
{% for label in confusion.labels %}
| **{{ label.name | cell }}** |{% for count in confusion.counts[loop.index0] %} {{ "{:,}".format(count) }} |{% endfor +%}
{% endfor %}

{% endif %}
![Confusion matrix of the test part]({{ pictures }}confusion.png)

{% endif %}
{% if findings.by_label is defined %}
How the published model finds the labels of the test part, and how many examples have each:

| label | training | test | precision in % | recall in % | F1 in % | AUC |
|---|---:|---:|---:|---:|---:|---:|
{% for label in findings.by_label %}
| {{ label.name | cell }} | {{ "{:,}".format(findings.label_counts[label.name]) }} | {{ "{:,}".format(label.count) }} |{% for share in [label.precision, label.recall, label.f1] %} {{ percent(share) if share is not none else "not defined" }} |{% endfor %} {{ "%.4f" | format(label.auc) if label.auc is not none else "not defined" }} |
{% endfor %}

{% endif %}
{% if words.picture_below %}
{{ words.picture_below.replace("{pictures}", pictures) }}

{% endif %}
Test {{ metric.title }} by seed ({{ seeds | join(", ") }}):

| model |{% for seed in seeds %} {{ seed }} |{% endfor +%}
|---|{% for seed in seeds %}---:|{% endfor +%}
{% for model in models.values() %}
| {{ model.title }} |{% for value in model.outcomes[metric.name].values %} {{ metric.text(value, finer=True) }} |{% endfor +%}
{% endfor %}

{% for sentence in verdict %}
- {{ sentence }}
{% endfor %}
"""
