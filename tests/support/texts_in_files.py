"""Texts of a few words, and files of them."""

import json

WORDS = ["good", "bad", "cheap", "dear", "slow", "quick", "and", "very"]


def text_of(number):
    """Return a text of 1 to 20 words; neighbours are of different lengths."""
    return " ".join(WORDS[(number * 7 + place * 3) % len(WORDS)] for place in range(1 + number * 11 % 20))


def write_texts(file, count):
    """Write JSON lines, a text each with its number."""
    rows = ({"id": number, "text": text_of(number)} for number in range(count))
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
