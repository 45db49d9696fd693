"""Creating models, and the verification before that."""

import hashlib
import shutil
from dataclasses import replace

import pytest
import torch
import transformers

import registry
from registry import ModelEntry

CONFIG = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    transformers.BertModel(transformers.BertConfig(**CONFIG)).save_pretrained(folder)
    return folder


@pytest.fixture
def checkpoint(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "checkpoint")


@pytest.fixture
def entry(checkpoint):
    return ModelEntry(
        name="tiny",
        task="feature-extraction",
        auto_class="AutoModel",
        summary="A model",
        data="none",
        license="MIT",
        metrics={},
        parameters=10,
        config={"model_type": "bert", **CONFIG},
        path=checkpoint,
        files={file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in checkpoint.iterdir()},
        repo_id="someone/tiny",
    )


def flip_a_byte(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_pretrained(entry, install, saved):
    registered = install(entry)
    model = registry.create_model("tiny", pretrained=True, device="cpu")
    expected = transformers.BertModel.from_pretrained(saved).state_dict()
    assert model.state_dict().keys() == expected.keys()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)
    assert not model.training
    registry.create_model("tiny", pretrained=True)
    assert registered == ["p"]


def test_pretrained_passes_keywords_on(entry, install):
    install(entry)
    model = registry.create_model("tiny", pretrained=True, dtype=torch.bfloat16, output_hidden_states=True)
    assert model.dtype == torch.bfloat16
    assert model.config.output_hidden_states


def test_untrained(entry, install):
    registered = install(replace(entry, path=None))
    model = registry.create_model("tiny", dtype="float16", hidden_size=4, attn_implementation="eager")
    assert model.dtype == torch.float16
    assert model.config.hidden_size == 4
    assert model.config.vocab_size == 11
    assert not model.training
    assert registered == ["p"]


def test_untrained_on_a_device(entry, install):
    install(entry)
    assert registry.create_model("tiny", device=torch.device("meta")).device.type == "meta"


def test_misspelt_field(entry, install):
    install(entry)
    with pytest.raises(TypeError, match="BertConfig has no field 'hiden_size'"):
        registry.create_model("tiny", hiden_size=4)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_changed_file(entry, install, checkpoint, name):
    registered = install(entry)
    flip_a_byte(checkpoint / name)
    found = hashlib.sha256((checkpoint / name).read_bytes()).hexdigest()
    with pytest.raises(registry.ChecksumError) as caught:
        registry.create_model("tiny", pretrained=True)
    for text in (str(checkpoint / name), entry.files[name], found, "pip install --force-reinstall", "dist-p"):
        assert text in str(caught.value)
    assert registered == []


def test_missing_file(entry, install, checkpoint):
    install(entry)
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(registry.CheckpointError, match=r"has lost .*model\.safetensors"):
        registry.create_model("tiny", pretrained=True)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "sub/weights.bin"])
def test_extra_file(entry, install, checkpoint, name):
    install(entry)
    (checkpoint / name).parent.mkdir(exist_ok=True)
    (checkpoint / name).write_text("{}")
    with pytest.raises(registry.CheckpointError, match=name):
        registry.checkpoint_path("tiny")


def test_checkpoint_path(entry, install, checkpoint):
    registered = install(entry)
    (checkpoint / "README.md").write_text("# Tiny")
    (checkpoint / ".DS_Store").write_text("")
    assert registry.checkpoint_path("tiny") == checkpoint
    assert registered == []


def test_not_embedded(entry, install):
    install(replace(entry, path=None, repo_id=None))
    message = "weights of 'tiny' are neither shipped with dist-p nor on the Hub"
    with pytest.raises(registry.NotEmbeddedError, match=message):
        registry.create_model("tiny", pretrained=True)


def test_unknown_name(entry, install):
    install(entry)
    with pytest.raises(registry.UnknownModelError, match="did you mean 'tiny'"):
        registry.create_model("tinny")
    with pytest.raises(registry.UnknownModelError, match="did you mean 'tiny'"):
        registry.checkpoint_path("tinny")


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_unusable_device(entry, install, device):
    registered = install(entry)
    with pytest.raises(registry.DeviceError, match=f"device '{device}' cannot be used here: "):
        registry.create_model("tiny", pretrained=True, device=device)
    assert registered == []


def test_device_map(entry, install):
    install(entry)
    with pytest.raises(ValueError, match="not both"):
        registry.create_model("tiny", pretrained=True, device="cpu", device_map="auto")
    with pytest.raises(ValueError, match="needs pretrained=True"):
        registry.create_model("tiny", device_map="auto")


def test_registration_fails(entry, install):
    def register():
        raise OSError("disk")

    install(entry, register)
    with pytest.raises(registry.PluginError, match=r"'p' of distribution dist-p .*OSError: disk") as caught:
        registry.create_model("tiny")
    assert isinstance(caught.value.__cause__, OSError)


def test_registration_is_tried_again(entry, install):
    outcomes = iter([OSError("disk"), None])

    def register():
        if error := next(outcomes):
            raise error

    install(entry, register)
    with pytest.raises(registry.PluginError):
        registry.create_model("tiny")
    assert registry.create_model("tiny").config.model_type == "bert"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"auto_class": "AutoNothing"}, "'tiny' with AutoNothing, which transformers lacks"),
        ({"config": {"model_type": "no-such-type"}}, "registers no model type 'no-such-type' for 'tiny'"),
    ],
)
def test_entry_names_what_is_not_there(entry, install, fields, message):
    install(replace(entry, **fields))
    with pytest.raises(registry.PluginError, match=message):
        registry.create_model("tiny")


def test_installed_plugin_end_to_end(zoo):
    zoo.add(
        "tiny-zoo",
        f"""
        def register():
            from transformers import AutoConfig, AutoModel, BertConfig, BertModel

            class TinyConfig(BertConfig):
                model_type = "tiny-zoo"

            class TinyModel(BertModel):
                config_class = TinyConfig

            AutoConfig.register("tiny-zoo", TinyConfig)
            AutoModel.register(TinyConfig, TinyModel)


        plugin = Plugin(
            name="tiny-zoo",
            models=(entry("tiny", config={{"model_type": "tiny-zoo", **{CONFIG}}}),),
            register=register,
        )
        """,
    )
    result = zoo.evaluate("""
        model = registry.create_model("tiny", device="cpu")
        model.save_pretrained("saved")
        from transformers import AutoModel
        result = [type(model).__name__, type(AutoModel.from_pretrained("saved")).__name__]
    """)
    assert result == ["TinyModel", "TinyModel"]
