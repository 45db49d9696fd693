"""Small encoders with random weights, for every family of audio and series models in transformers.

Families whose models cannot be used as encoders are listed too.
"""

from typing import Any, NamedTuple

import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from chainhead_plugin import ChainHeadConfig, ChainHeadForSequenceClassification


class Family(NamedTuple):
    """A small encoder: its configuration, and the inputs that it takes."""

    model_type: str
    fields: dict[str, Any]
    shape: tuple[int, ...]
    # The axis of time, and how many steps of the second recording are real.
    axis: int
    length: int
    m: int | None = None
    # Whether the encoder takes recordings of one length only, with a mask that says what of it is real.
    one_length: bool = False


_SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
_CONVOLUTIONS = {
    "conv_dim": (8, 8),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 8,
}
_LAYERED = _SMALL | _CONVOLUTIONS | {"feat_extract_norm": "layer"}
_MEL = {
    "num_mel_bins": 8,
    "subsampling_conv_channels": 4,
    "conv_kernel_size": 3,
    "max_position_embeddings": 64,
}
_SPEECH = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "vocab_size": 20,
    "max_target_positions": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
_PATCHES = {"num_input_channels": 2, "context_length": 40, "patch_length": 8, "patch_stride": 8, "d_model": 8}
_DECODER = _SMALL | {"patch_length": 8, "head_dim": 8, "context_length": 64}
_WAVES = ((2, 200), 1, 131)
_SPECTRA = ((2, 40, 8), 1, 27)
_FIXED = ((2, 8, 40), 2, 27)
_SERIES = ((2, 37, 2), 1, 21)
_WHISPER = {"num_mel_bins": 8, "max_source_positions": 20}
_ENCODER = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}

FAMILIES = {
    "wav2vec2": Family("wav2vec2", _LAYERED, *_WAVES),
    "wav2vec2, group norm": Family("wav2vec2", _SMALL | _CONVOLUTIONS, *_WAVES),
    "whisper": Family("whisper", _SPEECH | _WHISPER, *_FIXED, one_length=True),
    "audio-spectrogram-transformer": Family(
        "audio-spectrogram-transformer",
        _SMALL
        | {"max_length": 40, "num_mel_bins": 16, "patch_size": 8, "frequency_stride": 8, "time_stride": 8},
        (2, 40, 16),
        1,
        40,
    ),
    "patchtst": Family(
        "patchtst",
        _PATCHES | {"num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 8},
        *_SERIES,
    ),
    "timesfm": Family("timesfm", _DECODER, *_SERIES, m=32),
}
MORE_FAMILIES = {
    "wav2vec2, adapter": Family(
        "wav2vec2",
        _LAYERED | {"add_adapter": True, "output_hidden_size": 12, "num_adapter_layers": 1},
        *_WAVES,
    ),
    "hubert": Family("hubert", _LAYERED, *_WAVES),
    "wavlm": Family("wavlm", _LAYERED, *_WAVES),
    "unispeech": Family("unispeech", _LAYERED, *_WAVES),
    "unispeech-sat": Family("unispeech-sat", _LAYERED, *_WAVES),
    "data2vec-audio": Family("data2vec-audio", _LAYERED | {"conv_pos_kernel_size": 3}, *_WAVES),
    "wav2vec2-conformer": Family("wav2vec2-conformer", _LAYERED | {"conv_depthwise_kernel_size": 3}, *_WAVES),
    "sew": Family("sew", _LAYERED | {"squeeze_factor": 2}, *_WAVES),
    "sew-d": Family(
        "sew-d",
        _LAYERED | {"squeeze_factor": 2, "position_buckets": 4, "max_position_embeddings": 32},
        *_WAVES,
    ),
    "wav2vec2-bert": Family(
        "wav2vec2-bert",
        _SMALL | {"feature_projection_input_dim": 8, "conv_depthwise_kernel_size": 3},
        *_SPECTRA,
    ),
    "speech_to_text": Family(
        "speech_to_text",
        _SPEECH | {"input_feat_per_channel": 8, "conv_channels": 8, "max_source_positions": 60},
        *_SPECTRA,
    ),
    "moonshine": Family(
        "moonshine",
        {
            "hidden_size": 16,
            "intermediate_size": 16,
            "encoder_num_hidden_layers": 1,
            "decoder_num_hidden_layers": 1,
            "encoder_num_attention_heads": 2,
            "decoder_num_attention_heads": 2,
            "vocab_size": 20,
        },
        (2, 2000),
        1,
        1500,
    ),
    "parakeet_encoder": Family("parakeet_encoder", _SMALL | _MEL | {"subsampling_factor": 4}, *_SPECTRA),
    "lasr_encoder": Family("lasr_encoder", _SMALL | _MEL | {"num_key_value_heads": 2}, *_SPECTRA),
    "nemotron_asr_streaming_encoder": Family("nemotron_asr_streaming_encoder", _SMALL | _MEL, *_SPECTRA),
    "glmasr_encoder": Family(
        "glmasr_encoder",
        _SMALL | {"num_key_value_heads": 2, "num_mel_bins": 8, "max_position_embeddings": 64, "head_dim": 8},
        *_FIXED,
    ),
    "voxtral_realtime_encoder": Family(
        "voxtral_realtime_encoder",
        _SMALL | {"num_key_value_heads": 2, "num_mel_bins": 8, "head_dim": 8},
        *_FIXED,
    ),
    "qwen2_audio_encoder": Family("qwen2_audio_encoder", _ENCODER | _WHISPER, *_FIXED, one_length=True),
    "voxtral_encoder": Family("voxtral_encoder", _SMALL | _WHISPER, *_FIXED, one_length=True),
    "moss_transcribe_diarize_audio": Family(
        "moss_transcribe_diarize_audio", _ENCODER | _WHISPER, (2, 8, 40), 2, 40
    ),
    "patchtst, class token": Family(
        "patchtst",
        _PATCHES
        | {
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "ffn_dim": 8,
            "use_cls_token": True,
            "patch_stride": 4,
        },
        *_SERIES,
    ),
    "patchtsmixer": Family("patchtsmixer", _PATCHES | {"num_layers": 1}, *_SERIES),
    "timesfm2_5": Family("timesfm2_5", _DECODER | {"num_key_value_heads": 2}, *_SERIES, m=32),
}

_CODEC = "gives audio or codes, and no nodes"
_WHOLE = "writes what is said: its encoder is a model of its own, or fits alone"
_TIMES = "needs features of time for every step"
_AXIS = "takes waveforms with an axis of channels, and gives no nodes"
_MASKED = "works only with masks of its own processor"
_OTHER = "takes no recording and no series, or something beside them"
# By model type, why it is no encoder here.
UNFIT = {
    **dict.fromkeys(("autoformer", "informer", "time_series_transformer"), _TIMES),
    **dict.fromkeys(
        (
            "dac",
            "encodec",
            "mimi",
            "mimi_decoder",
            "mimi_encoder",
            "neucodec",
            "pocket_tts_audio_tokenizer",
            "pocket_tts_audio_tokenizer_decoder",
            "pocket_tts_audio_tokenizer_encoder",
            "univnet",
            "vibevoice_acoustic_tokenizer",
            "vibevoice_acoustic_tokenizer_decoder",
            "vibevoice_acoustic_tokenizer_encoder",
            "wavtokenizer",
            "wavtokenizer_encoder",
            "xcodec",
            "xcodec2",
        ),
        _CODEC,
    ),
    **dict.fromkeys(
        (
            "canary",
            "cohere_asr",
            "granite_speech5_ctc",
            "lasr_ctc",
            "moonshine_streaming",
            "nemotron3_5_asr",
            "nemotron_asr_streaming",
            "omniasr_ctc",
            "parakeet_ctc",
            "parakeet_rnnt",
            "parakeet_tdt",
            "speecht5",
        ),
        _WHOLE,
    ),
    **dict.fromkeys(("omniasr_audio", "pe_audio_encoder"), _AXIS),
    **dict.fromkeys(
        (
            "audioflamingo3_encoder",
            "fun_asr_nano_encoder",
            "gemma3n_audio",
            "gemma4_audio",
            "granite_speech5_encoder",
            "muse_spark_audio",
            "nemotron3_5_transcribe_asr_audio",
            "nemotron3_5_transcribe_audio",
            "nemotron3_diarization",
            "nemotron3_diarization_audio",
            "qwen3_asr_encoder",
        ),
        _MASKED,
    ),
    **dict.fromkeys(
        (
            "chainhead",
            "chainhead-random",
            "decision_transformer",
            "muse_glimmer_assistant",
            "nemotron3_5_transcribe_word_timestamp",
            "oneformer",
            "pe_audio_video_encoder",
            "perceiver",
            "pi0",
        ),
        _OTHER,
    ),
}


def build(family, model_class=ChainHeadForSequenceClassification, **fields):
    """Return a model with a chain head on a small encoder, in eval mode."""
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family.model_type](**family.fields)
    size = {} if family.m is None else {"m": family.m}
    options = {"hidden_sizes": [8], "bi_directional": True, "num_labels": 3} | size | fields
    return model_class(ChainHeadConfig(backbone_config=config, **options)).eval()


def batch(family):
    """Return two recordings or series, the second with padding after it that is not zero, and their mask."""
    torch.manual_seed(1)
    values = torch.randn(family.shape) * 2 + 1
    steps = family.shape[family.axis]
    mask = torch.ones(2, steps, dtype=torch.long)
    mask[1, family.length :] = 0
    if not family.one_length:
        values[1].narrow(family.axis - 1, family.length, steps - family.length).fill_(7.0)
    return values, mask


def alone(family, values, mask, row):
    """Return one of a batch without its padding, or with the padding without which the encoder takes none."""
    if family.one_length:
        return values[row : row + 1], mask[row : row + 1]
    return values[row : row + 1].narrow(family.axis, 0, int(mask[row].sum())), None
