"""What cards of pushed models say, in Jinja blocks; a module, so that it travels with a checkpoint's code."""

PICTURE = "images/chain-matrix.png"

TEMPLATE = (
    """\
{% block introduction %}
A chain head model{% if use %} that {{ use.purpose }}{% endif %}: `{{ architecture }}` with \
{{ "{:,}".format(parameters) }} weights. \
{{ introduction }}
{% endblock %}
{% block use %}
The model needs the plugin `chainhead-plugin`: `pip install .` in a clone of its repository installs it.
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
{% endblock %}
{% block model %}
| | |
|---|---|
{% for name, fact in facts.items() -%}
| {{ name }} | {{ fact }} |
{% endfor %}
{% if picture -%}
![Chain matrix]("""
    + PICTURE
    + """)

{{ picture.caption }}

{% endif -%}
{% endblock %}
{% block training %}{{ training }}{% endblock %}
{% block limits %}{{ limits }}{% endblock %}
{% block licence %}{{ licence }}{% endblock %}
"""
)
