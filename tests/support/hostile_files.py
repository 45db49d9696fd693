"""Loads changed checkpoints under supervision, and counts the outcomes.

Usage: hostile_files.py FOLDER SEED COUNT. Prints {outcome: count}. Stops at the first load that takes more than 5
seconds (SIGALRM), needs more than 1 GiB of additional memory, raises an undocumented exception, imports a module that
a file names, unpickles, runs a program or opens a connection.
"""

import collections
import json
import random
import resource
import shutil
import signal
import struct
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoFeatureExtractor,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DistilBertConfig,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    train_tokenizer,
)

SECONDS = 5
MEMORY = 2**30
DOCUMENTED = (
    OSError,
    ValueError,
    TypeError,
    RuntimeError,
    ImportError,
    SafetensorError,
    StrictDataclassError,
)
FORBIDDEN = (
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
)

CONFIGS = [
    {"m": 4, "n": 6},
    {"m": 4, "hidden_sizes": [6, 5], "with_lorr": True, "with_taylor": True, "pooling": "max"},
    {
        "m": 4,
        "n": 6,
        "with_dual_lphm": True,
        "with_batch_norm": True,
        "pooling": "flatten",
        "chain_length": 9,
    },
]
ENCODER = {
    "vocab_size": 50,
    "max_position_embeddings": 16,
    "dim": 8,
    "n_layers": 1,
    "n_heads": 2,
    "hidden_dim": 8,
}
DEEP = json.loads("[" * 500 + "]" * 500)
VALUES = [
    None, True, False, -1, 0, 1, 2, 7, 0.5, 2**31, 2**33, 2**63, 10**12, 10**30, -(10**12), 1e308, 1e-320,
    float("nan"), float("inf"), -float("inf"), "", "1", "../../etc/passwd", "/etc/passwd", "C:\\Windows", "~/.ssh/rsa",
    "bert", "gpt2", "timm_backbone", "timm_wrapper", "chainhead", "resnet", "encoder-decoder", "llava",
    "PreTrainedTokenizer",
    "evil_module", "evil_module.Evil", "evil_module--evil_module.Evil", "owner/evil--evil_module.Evil", "os.system",
    "__class__", "__import__('evil_module')", "file:///etc/passwd", "x" * 100_000, "\0", "\ud800", "é𝔘", "true",
    [], {}, [[]], [None], [1, 2, 3], ["evil_module"], [10**9] * 3, [2**16] * 2, [2**20] * 1000, [1] * 100_000, DEEP,
    {"a": 1}, {"": None}, {"0": "a"}, {"0": 0, "1": 10**12}, {"AutoModel": "evil_module.Evil"},
    {"AutoConfig": "evil_module.Evil", "AutoModelForSequenceClassification": "evil_module.Evil"},
    {"quant_method": "evil_module"}, {"quant_method": "bitsandbytes", "load_in_8bit": True},
    {"quant_method": "torchao"}, {str(i): str(i) for i in range(5000)}, {f"key{i}": i for i in range(5000)},
]  # fmt: skip
KEYS = [
    "architectures", "auto_map", "model_type", "feature_extractor_type", "image_processor_type", "processor_class",
    "quantization_config", "attn_implementation", "_attn_implementation", "dtype", "torch_dtype", "id2label",
    "num_labels", "custom_pipelines", "task_specific_params", "transformers_weights", "transformers_version",
    "base_model_tp_plan", "base_model_pp_plan", "tokenizer_class", "is_encoder_decoder", "per_layer_config",
    "vision_config", "text_config", "use_cache", "_name_or_path", "_commit_hash", "attribute_map", "to_dict",
    "validate", "label2id",
    "__class__", "__init__", "problem_type", "output_hidden_states", "return_dict", "chunk_size_feed_forward",
    "hidden_size", "sampling_rate", "return_attention_mask", "bos_token_id", "max_length", "pruned_heads",
    "backbone", "backbone_config", "timm_config", "use_pretrained_backbone", "backbone_kwargs", "out_indices",
    "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings", "num_experts", "hidden_sizes",
    "added_tokens_decoder", "chat_template", "tokenizer_file", "fix_mistral_regex", "extra_special_tokens", "backend",
    "tie_word_embeddings", "experts_implementation", "distributed_config", "evil_module", "",
]  # fmt: skip


def mutate_bytes(content, generator):
    content = bytearray(content)
    kind = generator.randrange(5)
    if kind == 0:
        return bytes(content[: generator.randrange(len(content))])
    if kind == 1:
        for _ in range(generator.choice((1, 2, 10, 100))):
            content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        return bytes(content)
    if kind == 2:
        place = generator.randrange(len(content))
        return bytes(content[:place] + generator.randbytes(generator.randrange(1, 64)) + content[place:])
    if kind == 3:
        return generator.randbytes(generator.choice((0, 1, 8, 100, 10_000)))
    start, stop = sorted(generator.randrange(len(content)) for _ in range(2))
    return bytes(content[:start] + content[stop:])


def mutate_json(content, generator):
    kind = generator.randrange(12)
    if kind < 2:
        return mutate_bytes(content, generator)
    fields = json.loads(content)
    inner = [key for key, value in fields.items() if isinstance(value, dict) and value]
    if inner and generator.random() < 0.5:
        key = "backbone_config" if "backbone_config" in inner else generator.choice(inner)
        mutated = mutate_json(json.dumps(fields[key]).encode(), generator)
        return json.dumps(fields | {key: "@"}).encode().replace(b'"@"', mutated, 1)
    if kind == 2:
        depth = generator.choice((10, 900, 5000, 200_000))
        opening, closing = generator.choice((("[", "]"), ('{"a":', "}")))
        nested = opening * depth + "1" + closing * depth
        return f"{{{json.dumps(generator.choice(KEYS))}: {nested}, {content.decode()[1:]}".encode()
    if kind == 3:
        key, value = generator.choice([*fields, *KEYS]), generator.choice(VALUES)
        return content.rstrip()[:-1] + f", {json.dumps(key)}: {json.dumps(value)}}}".encode()
    if kind == 4:
        return json.dumps(generator.choice(VALUES)).encode()
    if kind == 5:
        number = generator.choice(("1" * 5000, "-0", "1e999", "0x10", "NaN", "-Infinity", "1_000"))
        key = generator.choice([*fields])
        return content.replace(json.dumps(fields[key]).encode(), number.encode(), 1)
    for _ in range(generator.choice((1, 1, 1, 2, 5))):
        key = (
            generator.choice([*fields, *KEYS])
            if generator.random() < 0.9
            else generator.choice("abc") * 50_000
        )
        if generator.random() < 0.1:
            fields.pop(key, None)
        else:
            fields[key] = generator.choice(VALUES)
    return json.dumps(fields).encode()


def mutate_safetensors(content, generator):
    kind = generator.randrange(6)
    if kind < 2:
        return mutate_bytes(content, generator)
    size = struct.unpack("<Q", content[:8])[0]
    if kind == 2:
        return (
            struct.pack("<Q", generator.choice((0, 1, size - 1, size + 1, 10**8, 2**63, 2**64 - 1)))
            + content[8:]
        )
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    name = generator.choice([*header])
    if kind == 3 and name != "__metadata__":
        field = generator.choice(("dtype", "shape", "data_offsets"))
        values = {
            "dtype": ["F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "", "X", None],
            "shape": [
                [],
                [0],
                [10**12],
                [2**32, 2**32],
                [-1],
                [1] * 10_000,
                "a",
                None,
                header[name]["shape"][::-1],
            ],
            "data_offsets": [[0, 0], [0, 2**63], [8, 4], [-1, 4], [0, len(data)], [], "a", None],
        }[field]
        header[name][field] = generator.choice(values)
    elif kind == 4:
        header[generator.choice((name, "evil_module", "../x", "", "x" * 10_000))] = header.pop(name)
    else:
        header[generator.choice((name, "__metadata__", "more"))] = generator.choice(VALUES)
    if generator.random() < 0.3:
        data = np.full(len(data) // 4, np.nan, dtype=np.float32).tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


FILES = {
    "config.json": mutate_json,
    "preprocessor_config.json": mutate_json,
    "model.safetensors": mutate_safetensors,
    "tokenizer.json": mutate_json,
    "tokenizer_config.json": mutate_json,
}


def load(folder, name, generator):
    """Load what the file is part of, as a user would; check that it does what it says."""
    if name.startswith("tokenizer"):
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder)
            numbers = tokenizer("good day").input_ids
        except MemoryError:
            raise
        except Exception as error:
            # transformers' and tokenizers' own, which raise what comes, Exception itself among it.
            raise ValueError(f"{name} is not of a tokenizer") from error
        assert isinstance(tokenizer, PreTrainedTokenizerBase)
        assert all(isinstance(number, int) for number in numbers)
        return
    by_auto_class = generator.random() < 0.5
    if name == "preprocessor_config.json":
        loader = AutoFeatureExtractor if by_auto_class else ChainHeadFeatureExtractor
        try:
            extractor = loader.from_pretrained(folder)
        except AttributeError as error:
            # AutoFeatureExtractor's own, of JSON that is no object or names something else than a class.
            place = traceback.extract_tb(error.__traceback__)[-1].filename
            if not place.endswith("feature_extraction_auto.py"):
                raise
            raise ValueError(f"{name} is not of a feature extractor") from error
        assert isinstance(extractor, ChainHeadFeatureExtractor)
        batch = extractor(np.zeros((3, extractor.feature_size)), return_tensors="pt")
        assert batch["input_features"].shape == (1, 3, extractor.feature_size)
        return
    loader = AutoModelForSequenceClassification if by_auto_class else ChainHeadForSequenceClassification
    model = loader.from_pretrained(folder)
    assert isinstance(model, ChainHeadForSequenceClassification)
    assert not any(parameter.is_meta for parameter in model.parameters())
    with torch.no_grad():
        if model.main_input_name == "input_ids":
            logits = model(input_ids=torch.zeros(1, 3, dtype=torch.long), return_dict=True).logits
        else:
            logits = model(torch.zeros(1, 3, model.config.m), return_dict=True).logits
    assert logits.shape == (1, model.config.num_labels)


def watch(event, arguments):
    if event in FORBIDDEN or (event == "import" and "evil" in str(arguments[0])):
        sys.stderr.write(f"{event} {arguments}\n")
        traceback.print_stack()
        sys.stderr.flush()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.raise_signal(signal.SIGABRT)


def main(folder, seed, count):
    warnings.simplefilter("ignore")
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    folder.mkdir(parents=True)
    originals = []
    for index, fields in enumerate([*CONFIGS, {"n": 6, "backbone_config": DistilBertConfig(**ENCODER)}]):
        torch.manual_seed(index)
        place = folder / f"original-{index}"
        ChainHeadForSequenceClassification(ChainHeadConfig(**fields, num_labels=3)).save_pretrained(place)
        ChainHeadFeatureExtractor(feature_size=4, mean=[0.0] * 4, std=[1.0] * 4).save_pretrained(place)
        train_tokenizer(["good day", "bad day"]).save_pretrained(place)
        originals.append(place)
        for name in FILES:
            for seed_of_loader in range(4):
                load(place, name, random.Random(seed_of_loader))
    (folder / "evil_module.py").write_text("raise SystemExit('imported')")
    sys.path.insert(0, str(folder))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    sys.addaudithook(watch)

    outcomes = collections.Counter()
    place = folder / "mutated"
    for index in range(count):
        generator = random.Random(f"{seed}-{index}")
        # Configurations have most to go wrong, those with a backbone's inside above all.
        original = generator.choice([*originals, originals[-1]])
        name = generator.choice([*FILES, "config.json", "config.json"])
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(original, place)
        (place / name).write_bytes(FILES[name]((original / name).read_bytes(), generator))
        # What is on the disk when the alarm ends this process is the case that took too long.
        signal.alarm(SECONDS)
        try:
            load(place, name, generator)
            outcome = "loaded"
        except DOCUMENTED as error:
            outcome = type(error).__name__
        except BaseException:
            sys.stderr.write(f"mutation {index} of seed {seed}, {name}, in {place}\n")
            raise
        finally:
            signal.alarm(0)
        outcomes[f"{name}: {outcome}"] += 1
    sys.stdout.write(json.dumps(outcomes) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
