"""A tiny classifier of texts, of transformers alone, and texts for it."""

import json

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast

WORDS = ["good", "bad", "cheap", "dear", "slow", "quick", "and", "very"]


def text_of(number):
    """Return a text of 1 to 20 words; neighbours are of different lengths."""
    return " ".join(WORDS[(number * 7 + place * 3) % len(WORDS)] for place in range(1 + number * 11 % 20))


def write_classifier(folder):
    """Write a model with random weights, the same each time, and its tokenizer."""
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(vocabulary), dim=16, n_layers=1, n_heads=2, hidden_dim=16, max_position_embeddings=32
    )
    DistilBertForSequenceClassification(config).save_pretrained(folder)


def write_texts(file, count):
    """Write JSON lines, a text each with its number."""
    rows = ({"id": number, "text": text_of(number)} for number in range(count))
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
