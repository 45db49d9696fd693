"""A tiny classifier of texts, of transformers alone."""

import torch
from texts_in_files import WORDS
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast


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
