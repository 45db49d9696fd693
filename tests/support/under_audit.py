"""Loads, runs, evaluates, plots and pulls models that carry code, while every execution of code is watched.

Usage: under_audit.py FOLDER. Answers "y" to every question. Prints {"outcomes": {action: outcome}, "events": [executed
code that is not installed], "seen": [the same for code that was allowed]}. Every action is first done with models
without such code, so that all late imports have happened.
"""

import io
import json
import os
import sys
from pathlib import Path

from loopback_hub import LoopbackHub

ROOTS = [
    os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, *sys.path, Path(__file__).parents[2])
]
STARTS = {
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "subprocess.Popen",
    "builtins.input",
    "pickle.find_class",
}
POISON = """
from transformers import PreTrainedConfig, PreTrainedModel
class Config(PreTrainedConfig):
    model_type = "unheard-of"
class Model(PreTrainedModel):
    config_class = Config
"""
CODE = {
    "AutoConfig": "poison.Config",
    "AutoFeatureExtractor": "poison.Extractor",
    "AutoImageProcessor": "poison.Processor",
    "AutoProcessor": "poison.Processor",
    "AutoTokenizer": ["poison.Tokenizer", None],
} | dict.fromkeys(
    [
        "AutoModel",
        "AutoModelForImageClassification",
        "AutoModelForSequenceClassification",
        "AutoModelForTimeSeriesPrediction",
        "AutoModelForTokenClassification",
    ],
    "poison.Model",
)


class Watch:
    """An audit hook that notes what runs while it is on and is not installed."""

    def __init__(self):
        self.on, self.events = False, []

    def __call__(self, event, arguments):
        if not self.on:
            return
        if event in STARTS:
            self.events.append(f"{event} {arguments!s:.200}")
        elif event == "exec":
            self.judge(event, getattr(arguments[0], "co_filename", "?"))
        elif event == "compile":
            name = arguments[1]
            self.judge(event, os.fsdecode(name) if isinstance(name, str | bytes) else "?")
        elif event == "import" and "poison" in str(arguments[0]):
            self.events.append(f"{event} {arguments[0]}")

    def judge(self, event, file):
        if file.startswith("<frozen"):
            return
        if file.startswith("<"):
            # Of a text that some module made: which one counts.
            frame = sys._getframe(2)
            file = frame.f_code.co_filename
        if not os.path.realpath(file).startswith(tuple(ROOTS)):
            self.events.append(f"{event} {file}")


def models(folder):
    """Save a model of every modality, in order and with code; return the folders by name."""
    import chainhead_plugin as c

    tokenizer = c.train_tokenizer(["good and cheap", "bad", "good"])
    image = c.ChainHeadConfig(image_size=8, num_channels=1, patch_size=2, n=4, num_labels=3)
    words = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "m": 4, "n": 4}
    step = {"m": 1, "n": 4, "pooling": "flatten", "chain_length": 6, "prediction_length": 3}
    extractor = c.ChainHeadFeatureExtractor(feature_size=3)
    random = c.RandomChainConfig(m=3, dilations=[1, 2], num_labels=3)
    parts = {
        "sequence": (c.ChainHeadForSequenceClassification(c.ChainHeadConfig(m=3, num_labels=3)), extractor),
        "frames": (c.ChainHeadForTokenClassification(c.ChainHeadConfig(m=3, num_labels=2)), extractor),
        "random": (c.RandomChainForSequenceClassification(random), extractor),
        "image": (c.ChainHeadForImageClassification(image), c.ChainHeadImageProcessor.for_config(image)),
        "text": (c.ChainHeadForSequenceClassification(c.ChainHeadConfig(num_labels=2, **words)), tokenizer),
        "forecast": (c.ChainHeadForTimeSeriesPrediction(c.ChainHeadConfig(**step)), None),
    }
    for name, (model, processor) in parts.items():
        for place in (folder / "clean" / name, folder / "known" / name, folder / "unknown" / name):
            model.save_pretrained(place)
            if processor is not None:
                processor.save_pretrained(place)
            if place.parent.name != "clean":
                add_code(place, is_known=place.parent.name == "known")
    return list(parts)


def add_code(folder, *, is_known):
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        file = folder / name
        if file.is_file():
            content = json.loads(file.read_text()) | {"auto_map": CODE}
            if not is_known and name == "config.json":
                content["model_type"] = "unheard-of"
            file.write_text(json.dumps(content))
    config = json.loads((folder / "config.json").read_text())
    pipelines = {"time-series-classification": {"impl": "poison.Pipeline", "pt": ["AutoModel"], "tf": []}}
    (folder / "config.json").write_text(json.dumps(config | {"custom_pipelines": pipelines}))
    (folder / "poison.py").write_text(POISON)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")


def command(*arguments):
    from typer.testing import CliRunner

    from chainhead_plugin.cli import app

    done = CliRunner().invoke(app, [str(argument) for argument in arguments], input="y\n")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise ValueError(done.output)


def actions(kind, name, folder, data):
    """Return everything that one can do with a model, by name."""
    import transformers

    from chainhead_plugin.recipes.recipe_files import load_recipe
    from chainhead_plugin.recipes.results.evaluation import evaluate

    place = folder / kind / name
    # transformers asks about types that nobody here knows, and may.
    trust = {"trust_remote_code": False} if kind == "unknown" else {}
    found = {
        auto: lambda auto=auto: getattr(transformers, auto).from_pretrained(place, **trust)
        for auto in [*CODE, "AutoVideoProcessor", "AutoModelForTimeSeriesPrediction"]
    }
    file = data[{"image": "image", "text": "text", "forecast": "series"}.get(name, "rows")]
    return found | {
        "predict": lambda: command("predict", place, file, "--json"),
        "plot": lambda: command("plot", place, "--out", folder / "chain.png", "--overwrite"),
        "explain": lambda: command(
            "plot", place, "--out", folder / "why.png", "--overwrite", "--input", file
        ),
        "evaluate": lambda: evaluate(str(place), load_recipe("chainhead-japanese-vowels")),
    }


def write_data(folder):
    from PIL import Image

    endings = {"image": "png", "text": "txt", "series": "csv", "rows": "csv"}
    data = {name: folder / f"{name}.{ending}" for name, ending in endings.items()}
    Image.linear_gradient("L").resize((8, 8)).save(data["image"])
    data["text"].write_text("good\n")
    data["series"].write_text("\n".join(["value", *map(str, range(12))]) + "\n")
    data["rows"].write_text("a,b,c\n0.1,0.2,0.3\n0.2,0.1,0.4\n")
    return data


def main(folder):
    with LoopbackHub() as hub:
        os.environ |= {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(folder / "home"),
            "HF_HUB_DISABLE_XET": "1",
        }
        os.environ["HF_HUB_DISABLE_UPDATE_CHECK"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        os.environ.pop("HF_HUB_OFFLINE", None)
        import transformers

        import registry

        registry.load_plugins()
        names = models(folder)
        data = write_data(folder)
        for kind in ("clean", "known", "unknown"):
            for name in names:
                files = {file.name: file.read_bytes() for file in (folder / kind / name).iterdir()}
                hub.publish(f"{kind}/{name}", files)
        watch = Watch()
        sys.addaudithook(watch)
        outcomes = {}
        for kind in ("clean", "known", "unknown"):
            watch.on = kind != "clean"
            for name in names:
                todo = actions(kind, name, folder, data)
                todo["pull"] = lambda kind=kind, name=name: registry.pull(f"{kind}/{name}")
                for action, do in todo.items():
                    sys.stdin = io.StringIO("y\n")
                    try:
                        do()
                        told = "done"
                    except Exception as error:
                        told = f"{type(error).__name__}: {error}"[:300]
                    outcomes[f"{kind} {name} {action}"] = told
        events = list(watch.events)
        # A watch that sees nothing proves nothing.
        transformers.AutoConfig.from_pretrained(folder / "unknown" / names[0], trust_remote_code=True)
        seen = watch.events[len(events) :]
        watch.on = False
        sys.stdout.write(json.dumps({"outcomes": outcomes, "events": events, "seen": seen}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
