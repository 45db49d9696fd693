"""A checkpoint with its code works without the plugin. With the plugin installed, none of that code runs."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest
from hub_client import packages_without_plugin, run_client
from hub_samples import CHECKPOINT, CLASSES, NAME
from transformers.dynamic_module_utils import get_imports

import chainhead_plugin
from registry.hub.flat_code import flat_code, flat_name

INPUTS = ("ChainHeadFeatureExtractor", "ChainHeadAudioFeatureExtractor", "ChainHeadImageProcessor")
CHAINS = [[[0.1] * 12] * 20, [[0.3] * 12] * 9]
# Pipelines first: their module's imports must not be what the Auto classes need, nor the other way round.
ANSWERS = """
from transformers import (
    AutoFeatureExtractor, AutoImageProcessor, AutoModelForSequenceClassification, pipeline
)
import torch
from PIL import Image
def other_answers(**options):
    classify = pipeline("image-classification", model="me/images", **options)
    forecast = pipeline("time-series-forecasting", model="me/series", **options)
    processor = AutoImageProcessor.from_pretrained("me/images", **options)
    picture = Image.linear_gradient("L")
    pixels = processor(picture, return_tensors="pt")["pixel_values"]
    segment = pipeline("time-series-segmentation", model="me/frames", **options)
    random = pipeline("time-series-classification", model="me/random", **options)
    used = (
        classify.model, classify.image_processor, processor, forecast, forecast.model, segment, segment.model,
        random, random.model,
    )
    modules = [type(x).__module__ for x in used]
    answers = [classify(picture, top_k=3), forecast([1.0, 2.0, 4.0, 3.0]), segment([1.0, -2.0, 4.0])]
    answers.append(random([1.0, -2.0, 4.0, 3.0, 1.0], top_k=3))
    return [pixels.tolist(), *answers], modules
def answers(name, **options):
    classify = pipeline("time-series-classification", model=name, **options)
    features = pipeline("chain-feature-extraction", model=name, **options)
    model = AutoModelForSequenceClassification.from_pretrained(name, **options)
    extractor = AutoFeatureExtractor.from_pretrained(name, **options)
    with torch.no_grad():
        logits = model(**extractor(CHAINS, return_tensors="pt")).logits
    modules = [type(x).__module__ for x in (classify, classify.model, model, model.config, extractor)]
    return [classify(CHAINS, top_k=2), features(CHAINS), logits.tolist()], modules
"""
ANSWERS += f"CHAINS = {CHAINS!r}\n"
WITHOUT = (
    ANSWERS
    + """
import importlib.util
assert importlib.util.find_spec("chainhead_plugin") is importlib.util.find_spec("registry") is None
result = [answers("me/code", trust_remote_code=True), other_answers(trust_remote_code=True)]
model = AutoModelForSequenceClassification.from_pretrained("me/code", trust_remote_code=True)
model.push_to_hub("me/again")
again = AutoModelForSequenceClassification.from_pretrained("me/again", trust_remote_code=True)
assert type(again).__module__.startswith("transformers_modules.me.again.")
with torch.no_grad():
    inputs = torch.tensor(CHAINS[0])[None]
    assert torch.equal(again(inputs).logits, model(inputs).logits)
"""
)
WITH = (
    ANSWERS
    + """
import chainhead_plugin
result = [answers(name, **options) for name, options in
    ((CHECKPOINT, {}), ("me/code", {}), ("me/code", {"trust_remote_code": True}))]
others = [other_answers(**options) for options in ({}, {"trust_remote_code": True})]
model = AutoModelForSequenceClassification.from_pretrained("me/code")
left = [hasattr(model.config, "auto_map"), hasattr(model.config, "custom_pipelines")]
result = [result, others, left]
"""
)
WITH += """
from transformers import AutoModel, AutoProcessor, AutoTokenizer, AutoVideoProcessor
for auto in (AutoVideoProcessor, AutoProcessor, AutoTokenizer, AutoModel):
    for name in ("me/code", "me/images", "me/series", "me/frames"):
        for options in ({}, {"trust_remote_code": False}, {"trust_remote_code": True}):
            try:
                auto.from_pretrained(name, **options)
            except (OSError, ValueError, TypeError, AttributeError):
                pass  # not every model has everything; what counts is what runs
"""
# A class that the plugin does not have comes from the code, where it is trusted.
RUN = """
from transformers.dynamic_module_utils import get_class_from_dynamic_module
import json
from huggingface_hub import hf_hub_download
reference = json.load(open(hf_hub_download("me/code", "config.json")))["auto_map"]["AutoConfig"]
try:
    get_class_from_dynamic_module(reference, "me/code")
except AttributeError:
    pass
"""
PUSH = """
from typer.testing import CliRunner
from chainhead_plugin.cli import app
done = CliRunner().invoke(app, ["push", NAME, "me/code", "--with-code"])
assert done.exit_code == 0, done.output
import chainhead_plugin, registry
images = chainhead_plugin.ChainHeadConfig(image_size=[8, 6], num_channels=1, n=5, num_labels=3)
chainhead_plugin.ChainHeadForImageClassification(images).save_pretrained("images")
chainhead_plugin.ChainHeadImageProcessor.for_config(images).save_pretrained("images")
series = chainhead_plugin.ChainHeadConfig(m=1, pooling="flatten", chain_length=6, prediction_length=2)
chainhead_plugin.ChainHeadForTimeSeriesPrediction(series).save_pretrained("series")
frames = chainhead_plugin.ChainHeadConfig(m=1, num_labels=3)
chainhead_plugin.ChainHeadForTokenClassification(frames).save_pretrained("frames")
chainhead_plugin.ChainHeadFeatureExtractor(1).save_pretrained("frames")
random = chainhead_plugin.RandomChainConfig(m=1, dilations=[1, 2], num_labels=3)
chainhead_plugin.RandomChainForSequenceClassification(random).save_pretrained("random")
chainhead_plugin.ChainHeadFeatureExtractor(1).save_pretrained("random")
for name in ("images", "series", "frames", "random"):
    registry.push(name, "me/" + name, with_code=True)
for name, options, auto in CLASSES:
    getattr(chainhead_plugin, name)(chainhead_plugin.ChainHeadConfig(**options)).save_pretrained(name)
    registry.push(name, "me/" + name, with_code=True)
"""


def flat_module(name):
    return flat_name(getattr(chainhead_plugin, name).__module__, "chainhead_plugin")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return packages_without_plugin(tmp_path_factory.mktemp("machine") / "packages")


@pytest.mark.slow
def test_with_and_without_the_plugin(hub, home, packages, tmp_path):
    token = hub.token("me")
    push = f"import os\nos.chdir({str(tmp_path)!r})\nNAME = {NAME!r}\nCLASSES = {CLASSES!r}\n" + PUSH
    run_client(push, hub, home=home, token=token).ok  # noqa: B018
    tree = hub.repo("me/code").at().tree
    config = json.loads(tree["config.json"].data)
    assert config["auto_map"]["AutoConfig"] == f"{flat_module('ChainHeadConfig')}.ChainHeadConfig"
    assert config["custom_pipelines"].keys() == {"time-series-classification", "chain-feature-extraction"}
    needless = re.compile(r"registration|cli\b|cli_|plugin\b|recipe|.*trainer_card")
    assert not [file for file in tree if needless.match(file)]

    for name, _, auto in CLASSES:
        tree = hub.repo(f"me/{name}").at().tree
        found = json.loads(tree["config.json"].data)["auto_map"]
        assert found["AutoConfig"] == f"{flat_module('ChainHeadConfig')}.ChainHeadConfig"
        assert found[auto] == f"{flat_module(name)}.{name}"
        assert {f"{reference.partition('.')[0]}.py" for reference in found.values()} <= tree.keys()

    # What Numba compiles of the carried code is checked, not how well it optimises it, which takes longest.
    without = {"token": token, "packages": packages, "env": {"NUMBA_OPT": "0"}}
    found = run_client(WITHOUT, hub, home=tmp_path / "b", **without).ok
    (outputs, modules), (other_outputs, other_modules) = found
    assert all(module.startswith("transformers_modules.me.code.") for module in modules)
    places = [module.rpartition(".")[0].rpartition(".")[0] for module in other_modules]
    assert places == [
        f"transformers_modules.me.{name}"
        for name in ["images"] * 3 + ["series"] * 2 + ["frames"] * 2 + ["random"] * 2
    ]
    model_file = f"{flat_module('ChainHeadForSequenceClassification')}.py"
    assert {model_file, "images/chain-matrix.png"} <= hub.repo("me/again").at().tree.keys()

    for name in ("code", "images", "series", "frames", "random"):
        files = [file for file in hub.repo(f"me/{name}").at().tree if file.endswith(".py")]
        assert files
        # An exception could be swallowed on the way: code that runs leaves a mark.
        mark = f"open({str(tmp_path / 'mark')!r}, 'a').write(__name__)\n"
        hub.publish(f"me/{name}", dict.fromkeys(files, mark.encode()))
    with_plugin = f"CHECKPOINT = {str(CHECKPOINT)!r}\n" + WITH
    here, others, left = run_client(with_plugin, hub, home=tmp_path / "c").ok
    for wanted, found in ((outputs, here), (other_outputs, others)):
        for answers, used in found:
            assert answers == wanted
            assert all(module.startswith("chainhead_plugin.") for module in used)
    assert left == [False, False]
    assert not (tmp_path / "mark").exists()
    ran = run_client(RUN, hub, home=tmp_path / "d")
    assert (ran.error, (tmp_path / "mark").exists()) == (None, True), (
        "poison that does not work proves nothing"
    )


def test_carried_code_wants_no_package_that_the_plugin_can_do_without(tmp_path):
    """transformers refuses a file that imports a missing package anywhere but in a `try`."""
    roots = {"chainhead_plugin": Path(chainhead_plugin.__file__).parent}
    offered = [getattr(chainhead_plugin, name) for name in chainhead_plugin.__all__]
    modules = {cls.__module__ for cls in offered if hasattr(cls, "register_for_auto_class")}
    wanted = set()
    for file, content in flat_code(modules, roots).items():
        (tmp_path / file).write_bytes(content)
        wanted.update(get_imports(tmp_path / file))
    # torch needs jinja2.
    needed = {
        "huggingface_hub",
        "jinja2",
        "numpy",
        "PIL",
        "safetensors",
        "timm",
        "tokenizers",
        "torch",
        "transformers",
    }
    assert wanted - sys.stdlib_module_names <= needed
    assert "torch" in wanted


def test_code_that_cannot_be_carried(tmp_path, monkeypatch):
    import registry
    from registry.hub.carried_code import carried_code
    from registry.hub.own_classes import own_classes

    (tmp_path / "config.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(registry.PushError, match="no installed plugin knows the model type 'unheard-of'"):
        own_classes(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert own_classes(tmp_path) == {}
    with pytest.raises(registry.PushError, match="needs no code"):
        carried_code(tmp_path, {}, None)
    (tmp_path / "greedy_plugin.py").write_text("import registry\nclass Config: ...\n")
    (tmp_path / "nested_plugin.py").write_text("def f():\n    from .missing import x\nclass Config: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name, reason in (
        ("greedy", r"greedy_plugin\.py .* imports registry"),
        ("nested", r"there is no .*missing\.py"),
    ):
        config = importlib.import_module(f"{name}_plugin").Config
        with pytest.raises(registry.PushError, match=reason):
            carried_code(tmp_path, {"AutoConfig": config}, None)
    (tmp_path / "config.json").write_text('{"model_type": "chainhead", "m": -1}')
    with pytest.raises(registry.PushError, match=r"config\.json is not valid"):
        own_classes(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "ChainHeadConfig",
        *INPUTS,
        "RandomChainConfig",
        "RandomChainForSequenceClassification",
        *(name for name, *_ in CLASSES),
    ],
)
def test_installed_classes_name_the_way_to_push_code(name):
    cls = getattr(chainhead_plugin, name)
    with pytest.raises(NotImplementedError, match=rf"{name}, .* registry\.push\(.*, with_code=True\)"):
        cls.register_for_auto_class()
    assert cls._auto_class is None


def test_every_class_that_could_be_registered_is_tested():
    offered = {name: getattr(chainhead_plugin, name) for name in chainhead_plugin.__all__}
    registrable = {name for name, cls in offered.items() if hasattr(cls, "register_for_auto_class")}
    own = {name for name, *_ in CLASSES} | {"ChainHeadConfig"}
    own |= {"RandomChainConfig", "RandomChainForSequenceClassification"}
    assert registrable == own | set(INPUTS)


def test_subclasses_of_the_users_own_are_registered():
    class Mine(chainhead_plugin.ChainHeadModel): ...

    Mine.register_for_auto_class("AutoModel")
    assert (Mine._auto_class, chainhead_plugin.ChainHeadModel._auto_class) == ("AutoModel", None)
    with pytest.raises(ValueError, match="AutoNothing is not a valid auto class"):
        Mine.register_for_auto_class("AutoNothing")
