"""`chainhead predict` for every file format and every task."""

import csv
import io
import json
import sys

import numpy as np
import pytest
from command_line import CHAINS, TEXTS, as_csv, invoke
from PIL import Image
from sounds import write_sound
from transformers import pipeline
from typer.testing import CliRunner

import registry
from chainhead_plugin.cli import app
from chainhead_plugin.cli.demonstration import MODEL


def lines(*arguments, **options):
    result = CliRunner().invoke(app, ["predict", *map(str, arguments), "--json"], **options)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def write_inputs(folder):
    """Write the same nine chains in every format."""
    (folder / "a.csv").write_text(as_csv(CHAINS), "utf-8")
    (folder / "a.tsv").write_text(as_csv(CHAINS, delimiter="\t"), "utf-8")
    (folder / "semicolons.csv").write_text("\ufeff" + as_csv(CHAINS, delimiter=";"), "utf-8")
    (folder / "a.json").write_text(json.dumps(CHAINS), "utf-8")
    (folder / "records.json").write_text(json.dumps([{"nodes": chain} for chain in CHAINS]), "utf-8")
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, CHAINS)), "utf-8")
    return sorted(folder.iterdir())


def test_every_format_gives_the_same_prediction(tmp_path):
    classify = pipeline(
        "time-series-classification", model=str(registry.checkpoint_path(MODEL)), device="cpu"
    )
    expected = classify(CHAINS, top_k=2)
    files = write_inputs(tmp_path)
    answers = lines(MODEL, *files, "--top-k", 2, "--batch-size", 5, "--device", "cpu")
    assert len(answers) == len(files) * len(CHAINS)
    for number, answer in enumerate(answers):
        assert answer["file"] == str(files[number // len(CHAINS)])
        for given, wanted in zip(answer["predictions"], expected[number % len(CHAINS)], strict=True):
            assert given["label"] == wanted["label"]
            assert given["score"] == pytest.approx(wanted["score"], abs=1e-6)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_standard_input(name, tmp_path):
    write_inputs(tmp_path)
    answers = lines(MODEL, "-", input=(tmp_path / name).read_bytes())
    assert [len(answer["predictions"]) for answer in answers] == [1] * len(CHAINS)
    assert [answer.get("id") for answer in answers] == [
        f"r{number}" if name == "a.csv" else None for number in range(len(CHAINS))
    ]


def test_arrays_and_tables_without_header(tmp_path):
    np.save(tmp_path / "one.npy", np.array(CHAINS[0]))
    (tmp_path / "one.csv").write_text(as_csv(CHAINS[:1], header=False), "utf-8")
    (tmp_path / "one.json").write_text(json.dumps({"nodes": CHAINS[0], "who": "me"}), "utf-8")
    array, table, mapping = lines(MODEL, *(tmp_path / name for name in ("one.npy", "one.csv", "one.json")))
    assert array["predictions"] == table["predictions"] == mapping["predictions"]
    assert mapping["who"] == "me"
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "no array of numbers" in invoke("predict", MODEL, tmp_path / "objects.npy", code=1)


def test_parquet(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = list(csv.DictReader(io.StringIO(as_csv(CHAINS))))
    columns = {name: [row[name] if name == "id" else float(row[name]) for row in table] for name in table[0]}
    parquet.write_table(arrow.table(columns), tmp_path / "nodes.parquet")
    parquet.write_table(arrow.table({"nodes": CHAINS, "n": range(9)}), tmp_path / "chains.parquet")
    by_node = lines(MODEL, tmp_path / "nodes.parquet")
    by_chain = lines(MODEL, tmp_path / "chains.parquet")
    assert [answer["id"] for answer in by_node] == [f"r{number}" for number in range(9)]
    assert [answer["predictions"] for answer in by_node] == [answer["predictions"] for answer in by_chain]


def test_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    assert "a.parquet needs pyarrow: pip install pyarrow" in invoke(
        "predict", MODEL, tmp_path / "a.parquet", code=1
    )


def test_the_table(tmp_path):
    (tmp_path / "a.csv").write_text(as_csv(CHAINS), "utf-8")
    shown = invoke("predict", MODEL, tmp_path / "a.csv")
    assert all(f"r{number}" in shown for number in range(len(CHAINS)))
    assert "speaker 1" in shown


def test_forecasts(folders, tmp_path):
    (tmp_path / "sales.csv").write_text(
        "day,sales\n" + "\n".join(f"2026-01-{d:02},{'' if d == 3 else d}" for d in range(1, 9)), "utf-8"
    )
    (answer,) = lines(folders / "forecast", tmp_path / "sales.csv", "--columns", "sales")
    forecaster = pipeline("time-series-forecasting", model=str(folders / "forecast"), device="cpu")
    expected = forecaster([1.0, 2.0, np.nan, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert answer["forecast"] == pytest.approx(expected["forecast"])
    assert answer["quantiles"]["0.9"] == pytest.approx(expected["quantiles"][0.9])
    shown = invoke("predict", folders / "forecast", tmp_path / "sales.csv", "--columns", "sales")
    assert "quantile 0.9" in shown
    assert f"{expected['forecast'][2]:.5g}" in shown
    (dated,) = lines(folders / "forecast", tmp_path / "sales.csv")
    assert dated == answer
    assert answer.pop("times") == ["2026-01-09", "2026-01-10", "2026-01-11"]
    wrong = invoke("predict", folders / "two-forecasts", tmp_path / "sales.csv", code=1)
    assert "1 column of features (sales), expected the model's 2" in wrong
    (series,) = lines(folders / "forecast", "-", input="[1, 2, null, 4, 5, 6, 7, 8]")
    assert series["forecast"] == pytest.approx(answer["forecast"])
    two = invoke("predict", folders / "two-forecasts", "-", input="4,2\n3,5\n2,1\n")
    assert "forecast, target 2" in two
    assert "no effect" in invoke(
        "predict", folders / "forecast", tmp_path / "sales.csv", "--top-k", 2, code=2, env={"COLUMNS": "200"}
    )


def test_features(folders):
    answers = lines(folders / "features", "-", input="0.5,2,3\n4,5,6\n")
    assert np.shape(answers[0]["features"]) == (2, 5)
    assert "2" in invoke("predict", folders / "features", "-", input="0.5,2,3\n4,5,6\n")


def test_segments(folders):
    chain = np.random.default_rng(0).normal(size=(24, 3)).round(2)
    text = as_csv([chain], header=False)
    (answer,) = lines(folders / "frames", "-", input=text)
    segment = pipeline("time-series-segmentation", model=str(folders / "frames"), device="cpu")
    expected = segment(chain, aggregation_strategy="simple")
    assert len(expected) > 1
    assert answer["segments"] == expected
    shown = invoke("predict", folders / "frames", "-", input=text).splitlines()
    heading, _, *rows = [line.split() for line in shown if line.strip()]
    assert heading == ["input", "label", "score", "from", "to"]
    assert [row[-4:] for row in rows] == [
        [part["label"], f"{part['score']:.4g}", str(part["start"]), str(part["end"])] for part in expected
    ]


def test_texts(folders, tmp_path):
    (tmp_path / "a.txt").write_text("\n\n".join(TEXTS), "utf-8")
    (tmp_path / "a.csv").write_text("stars,text\n" + "\n".join(f'5,"{text}"' for text in TEXTS), "utf-8")
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in TEXTS), "utf-8")
    expected = pipeline("text-classification", model=str(folders / "text"), device="cpu")(TEXTS)
    for name in ("a.txt", "a.csv", "a.jsonl"):
        answers = lines(folders / "text", tmp_path / name)
        assert [answer["predictions"][0]["label"] for answer in answers] == [one["label"] for one in expected]
        scores = [answer["predictions"][0]["score"] for answer in answers]
        assert scores == pytest.approx([one["score"] for one in expected], abs=1e-6)
    assert lines(folders / "text", tmp_path / "a.csv")[0]["stars"] == "5"
    assert len(lines(folders / "text", tmp_path / "a.txt", "--format", "document")) == 1
    assert TEXTS[0] in invoke("predict", folders / "text", "-", input=TEXTS[0])


def test_tokens(folders):
    (answer,) = lines(folders / "tokens", "-", input=TEXTS[1])
    words = [TEXTS[1][entity["start"] : entity["end"]] for entity in answer["entities"]]
    assert words == TEXTS[1].split()
    assert "dear" in invoke("predict", folders / "tokens", "-", input=TEXTS[1])


def test_images(folders, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    expected = pipeline("image-classification", model=str(folders / "image"), device="cpu")(
        str(tmp_path / "a.png"), top_k=3
    )
    (answer,) = lines(folders / "image", tmp_path / "a.png", "--top-k", 3)
    assert answer["predictions"] == expected
    (piped,) = lines(folders / "image", "-", "--top-k", 3, input=(tmp_path / "a.png").read_bytes())
    assert piped == answer
    (tmp_path / "b.png").write_bytes(b"nothing")
    refused = invoke("predict", folders / "image", tmp_path / "b.png", code=1)
    assert "no image that is read here: expected one of PNG" in refused


def test_fields_that_the_result_has(folders):
    record = json.dumps({"nodes": [[1, 2, 3]], "predictions": 1})
    assert "rename those of the input" in invoke("predict", folders / "sequence", "-", input=record, code=1)


def test_a_model_without_a_pipeline(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["BertForMaskedLM"]}', "utf-8")
    shown = invoke("predict", tmp_path, "-", input="1,2,3\n", code=1)
    assert "no pipeline, and the folder has no tokenizer_config.json" in shown


@pytest.mark.parametrize(
    ("model", "inputs", "strays", "said"),
    [
        (
            "sequence",
            ["a.csv", "b.csv"],
            ["notes.txt", "README.md", "Thumbs.db"],
            "README.md, Thumbs.db, notes.txt",
        ),
        ("text", ["a.txt", "b.txt"], ["README.md", "sub/c.txt"], "README.md, sub"),
        ("image", ["a.png", "b.PNG"], ["labels.csv", "Thumbs.db", "sub/c.png"], "Thumbs.db, labels.csv, sub"),
        ("sound", ["a.wav", "b.wave"], ["labels.csv", "notes.txt"], "labels.csv, notes.txt"),
        ("sound", ["a.wav", "b.wave"], [".hidden"], None),
    ],
)
@pytest.mark.filterwarnings("default:left out")
def test_strays_in_a_folder_are_named_and_left_out(folders, tmp_path, model, inputs, strays, said):
    picture, sound = tmp_path / "one.png", tmp_path / "one.wav"
    Image.new("L", (8, 8), 9).save(picture)
    write_sound(sound, 8000 * np.sin(np.arange(8000) / 9), 16_000)
    content = {
        "sequence": b"a,b,c\n1,2,3\n2,3,5\n",
        "text": b"cheap and good\n",
        "image": picture.read_bytes(),
        "sound": sound.read_bytes(),
    }
    for name in [*inputs, *strays]:
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content[model] if name in inputs else b"by hand")
    command = ["predict", folders / model, tmp_path / "data", "--json"]
    done = CliRunner().invoke(app, list(map(str, command)))
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == len(inputs)
    assert (f"Note: left out {said}\n" in done.stderr) if said else ("Note" not in done.stderr)
