"""Training a fast tokenizer for models with an embedding of their own."""

from collections.abc import Iterable
from typing import Any, Literal

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from ..checks.values import check_choice, check_whole_number

_PAD, _UNKNOWN = "[PAD]", "[UNK]"


def train_tokenizer(
    texts: Iterable[str],
    vocab_size: int = 8192,
    *,
    units: Literal["words", "bytes"] = "words",
    min_frequency: int = 1,
    lowercase: bool = False,
) -> PreTrainedTokenizerFast:
    """Train a tokenizer, whose padding token is 0.

    Saved beside a chainhead model, `AutoTokenizer` and pipelines find it.

    Parameters
    ----------
    texts : iterable of str
        Texts to learn the vocabulary from.
    vocab_size : int
        Tokens at most, including the special tokens. A model needs `vocab_size=len(tokenizer)`.
    units : {"words", "bytes"}
        "words": every word and run of punctuation is a token, and unseen tokens are "[UNK]". "bytes": byte-pair
        encoding, which can spell any text; at least 257 tokens.
    min_frequency : int
        How often a word, or a pair to merge, must be seen.
    lowercase : bool
        Whether case is ignored.

    Raises
    ------
    TypeError
        If `texts` is a single text, or a number is no int.
    ValueError
        If `units`, `vocab_size` or `min_frequency` is out of range, or no token was found.

    Examples
    --------
    >>> tokenizer = train_tokenizer(texts, vocab_size=4000)
    >>> config = ChainHeadConfig(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, m=64)
    >>> tokenizer.save_pretrained("my-model")
    """
    if isinstance(texts, str):
        raise TypeError("texts must be several texts, got one str: put it in a list")
    check_choice("units", units, ("words", "bytes"))
    least = 3 if units == "words" else 1 + len(pre_tokenizers.ByteLevel.alphabet())
    check_whole_number("vocab_size", vocab_size, least)
    check_whole_number("min_frequency", min_frequency, 1)

    common: dict[str, Any] = {
        "vocab_size": vocab_size,
        "min_frequency": min_frequency,
        "show_progress": False,
    }

    trainer: trainers.Trainer
    if units == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            special_tokens=[_PAD], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **common
        )
    else:
        tokenizer = Tokenizer(models.WordLevel(unk_token=_UNKNOWN))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        trainer = trainers.WordLevelTrainer(special_tokens=[_PAD, _UNKNOWN], **common)

    if lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() < least:
        raise ValueError(f"no word was found {min_frequency} times or more: are texts empty?")

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        unk_token=_UNKNOWN if units == "words" else None,
        model_input_names=["input_ids", "attention_mask"],
    )


__all__ = ["train_tokenizer"]
