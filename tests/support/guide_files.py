"""Files as people have them, of which docs/recipes.md and docs/command-line.md show the first lines."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sounds import write_sound


def write_recipe_files():
    """Write a file of each kind that docs/recipes.md trains on into the current folder."""
    rng = np.random.default_rng(0)
    _workouts(rng, 60, "2025-03-01").to_csv("workouts.csv", index=False)
    _workouts(rng, 12, "2025-04-01").to_csv("april.csv", index=False)
    _nights(rng, 24).to_csv("nights.csv", index=False)
    sales = _sales(rng, 150)
    sales.to_csv("sales.csv", index=False)
    sales["sold"] = sales["sold"].astype("Int64").mask(sales["day"] > "2025-05-23")
    sales[sales["day"] > "2025-04-30"].to_csv("next.csv", index=False)
    _meter().to_csv("meter.csv", index=False, sep=";")
    _months().to_csv("monthly.csv", index=False)
    _households(rng, 60).to_csv("households.csv", index=False)
    _batches(rng, 60).to_csv("batches.csv", index=False)
    reviews = _reviews(rng, 80)
    reviews.to_csv("reviews.csv", index=False)
    records = reviews.rename(columns={"text": "review", "label": "stars"}).to_dict("records")
    Path("reviews.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n", "utf-8")
    _write_leaves(rng, 40)
    _write_calls(rng, 40)


def _workouts(rng, count, first_day):
    """Return the acceleration of a wrist, ten times a second: walks swing slower and less than runs."""
    tables = []
    for number in range(count):
        activity = ("walk", "run", "sit")[number % 3]
        steps = {"walk": 3, "run": 6, "sit": 0}[activity] * np.arange(30) / 10 + rng.uniform(0, 6)
        strength = {"walk": 0.4, "run": 1.2, "sit": 0.02}[activity]
        start = pd.Timestamp(first_day) + pd.Timedelta(hours=8, minutes=7 * number)
        tables.append(
            pd.DataFrame(
                {
                    "recording": f"r{number + 1:02}",
                    "time": pd.date_range(start, periods=30, freq="100ms")
                    .strftime("%Y-%m-%d %H:%M:%S.%f")
                    .str[:-5],
                    "x": (strength * np.sin(steps) + rng.normal(0, 0.1, 30)).round(2),
                    "y": (strength * np.cos(steps) + rng.normal(0, 0.1, 30)).round(2),
                    "z": (1 + rng.normal(0, 0.1, 30)).round(2),
                    "activity": activity,
                }
            )
        )
    return pd.concat(tables)


def _nights(rng, count):
    """Return pulse and movement of nights, a row for ten minutes, each with its stage of sleep."""
    tables = []
    for number in range(count):
        stages = np.repeat(["awake", "light", "deep", "light", "awake"], rng.integers(4, 12, 5))
        pulse = pd.Series(stages).map({"awake": 70, "light": 60, "deep": 52})
        moves = pd.Series(stages).map({"awake": 9, "light": 2, "deep": 0.3})
        tables.append(
            pd.DataFrame(
                {
                    "night": f"n{number + 1:02}",
                    "minute": 10 * np.arange(len(stages)),
                    "pulse": (pulse + rng.normal(0, 3, len(stages))).round().astype(int),
                    "movements": rng.poisson(moves),
                    "stage": stages,
                }
            )
        )
    return pd.concat(tables)


def _sales(rng, count):
    """Return a year of two shops: more on holidays and weekends, and with a lower price."""
    days = pd.date_range("2025-01-01", periods=count)
    tables = []
    for shop, level in (("north", 40), ("south", 25)):
        price = rng.choice([2.5, 2.2], count, p=[0.8, 0.2])
        weekend = days.dayofweek > 4
        sold = level + 15 * weekend - 30 * (price - 2.5) + rng.normal(0, 2, count)
        tables.append(
            pd.DataFrame(
                {
                    "shop": shop,
                    "day": days,
                    "sold": sold.round().astype(int),
                    "price": price,
                    "weekend": weekend * 1,
                }
            )
        )
    return pd.concat(tables)


def _meter():
    """Return two weeks of load in local time, in which clocks are set back, as a logger with units writes them."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2025-10-20", periods=24 * 14 + 1, freq="h", tz="Europe/Berlin")
    load = 12 + 4 * np.sin((times.hour - 6) / 12 * np.pi) + rng.normal(0, 0.5, len(times))
    return pd.DataFrame(
        {
            "date": times.strftime("%d.%m.%Y"),
            "hour": times.strftime("%H:%M"),
            "load": [f"{value:.1f} kW".replace(".", ",") for value in load],
        }
    )


def _months():
    """Return four series of months, a row for each, of which three begin later."""
    rng = np.random.default_rng(0)
    months = pd.date_range("2020-01", periods=48, freq="MS").strftime("%Y-%m")
    steps = np.arange(48)
    rows = {
        f"M{number + 1}": pd.Series(
            (100 + 20 * number + steps + 15 * np.sin(steps / 6 * np.pi) + rng.normal(0, 2, 48)).round(),
            months,
        )
        .astype("Int64")
        .mask(steps < 6 * number)
        for number in range(4)
    }
    return pd.DataFrame(rows).T.rename_axis("id").reset_index()


def _households(rng, count):
    """Return the power of a household, every half hour of a day, and which machines ran."""
    tables = []
    for number in range(count):
        ran = rng.random(2) < 0.5
        power = 200 + rng.normal(0, 20, 24)
        start, other = rng.integers(2, 20, 2)
        power[start : start + 3] += 900 * ran[0]
        power[other : other + 1] += 2000 * ran[1]
        tables.append(
            pd.DataFrame(
                {
                    "day": f"d{number + 1:02}",
                    "hour": np.arange(24),
                    "watts": power.round().astype(int),
                    "washing": "yes" if ran[0] else "no",
                    "oven": "yes" if ran[1] else "no",
                }
            )
        )
    return pd.concat(tables)


def _batches(rng, count):
    """Return the temperature of batches of dough, whose quality falls with the time above 30 degrees."""
    tables = []
    for number in range(count):
        temperature = 28 + rng.normal(0, 0.6, 20).cumsum()
        quality = 90 - 3 * np.clip(temperature - 29, 0, None).mean() + rng.normal(0, 0.5)
        tables.append(
            pd.DataFrame(
                {
                    "batch": f"b{number + 1:02}",
                    "minute": np.arange(20),
                    "temperature": temperature.round(1),
                    "quality": round(quality, 1),
                }
            )
        )
    return pd.concat(tables)


def _reviews(rng, count):
    """Return sentences about films, some with a comma."""
    texts, labels = [], []
    for number in range(count):
        is_good = number % 2 == 0
        word = rng.choice(["great", "moving", "funny"] if is_good else ["dull", "slow", "a mess"])
        what = rng.choice(["The film", "The story", "The cast"])
        texts.append(f"{what} is {word}, {rng.choice(['all in all', 'I think', 'as ever'])}")
        labels.append("good" if is_good else "bad")
    return pd.DataFrame({"text": texts, "label": labels})


def _write_leaves(rng, count):
    """Write grey pictures of leaves, wide or long, in a folder for each kind."""
    for number in range(count):
        kind = ("beech", "willow")[number % 2]
        rows, columns = np.mgrid[-8:8, -8:8]
        wide, high = {"beech": (6, 5), "willow": (2, 7)}[kind]
        inside = (columns / wide) ** 2 + (rows / high) ** 2 < 1
        pixels = np.where(inside, 90, 230) + rng.normal(0, 8, (16, 16))
        file = Path("leaves") / kind / f"{number // 2 + 1:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file)


def _write_calls(rng, count):
    """Write calls of birds, of a second and more at 8,000 samples a second, in a folder for each bird."""
    for number in range(count):
        bird = ("cuckoo", "finch")[number % 2]
        times = np.arange(int(8_000 * rng.uniform(1, 1.5))) / 8_000
        # A cuckoo sings two low notes, a finch a trill that falls.
        pitch = np.where(times % 1 < 0.4, 660, 530) if bird == "cuckoo" else 3_000 - 900 * times
        loudness = np.sin(2 * np.pi * (1 if bird == "cuckoo" else 9) * times) ** 2 * rng.uniform(0.2, 0.9)
        sound = loudness * np.sin(2 * np.pi * np.cumsum(pitch) / 8_000) + rng.normal(0, 0.02, len(times))
        file = Path("calls") / bird / f"{number // 2 + 1:02}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_sound(file, (32_000 * sound).clip(-32_768, 32_767), 8_000)
