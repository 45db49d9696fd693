"""The common model tests of transformers that do not apply to chain heads, with the reasons."""

from fnmatch import fnmatchcase

# The version of transformers whose tests the tables name one by one. With another, a test that they do not know is
# skipped as transformers skips it.
WRITTEN_FOR = "5.24"

_NO_ATTENTION = "the models have no attention"
_NO_EXPERTS = "the models have no mixture of experts"
_NO_GENERATION = "the models generate no tokens"
_NO_ROTARY = "the models have no rotary position embeddings"
_NO_FLOAT32_PARTS = "no part needs float32 weights: half precision accumulates in float32"
_NO_RENAMING = "no weight is renamed on loading"
_NO_DEEPSPEED = "DeepSpeed is no dependency"

EXCLUSIONS = {
    "test_attention_outputs": _NO_ATTENTION,
    "test_attn_implementation_composite_models": _NO_ATTENTION,
    "test_bc_cache_name_forward*": _NO_GENERATION,
    "test_can_load_from_already_mapped_keys*": _NO_RENAMING,
    "test_can_set_attention_dynamically*": _NO_ATTENTION,
    "test_causal_lm_loss_honors_shift_labels": _NO_GENERATION,
    "test_eager_matches_batched_and_grouped_inference*": _NO_EXPERTS,
    "test_eager_matches_sdpa_inference*": _NO_ATTENTION,
    "test_encoder_decoder_loss_no_double_shift": _NO_GENERATION,
    "test_flash_attn_*": _NO_ATTENTION,
    "test_flex_attention_with_grads": _NO_ATTENTION,
    "test_keep_in_fp32_modules*": _NO_FLOAT32_PARTS,
    "test_kernels_can_load_without_crashing": "the kernels of the Hub hold no chain head",
    "test_model_rope_*": _NO_ROTARY,
    "test_moe_models_record_router_logits": _NO_EXPERTS,
    "test_multimodal_outputs_are_returned": _NO_GENERATION,
    "test_output_router_logits_from_config": _NO_EXPERTS,
    "test_resize_*_with_deepspeed*": _NO_DEEPSPEED,
    "test_resize_position_vector_embeddings": "the models have no position embeddings",
    "test_reverse_loading_mapping": _NO_RENAMING,
    "test_sdpa_*": _NO_ATTENTION,
    "test_sliding_window_mask": _NO_ATTENTION,
    "test_torch_compile_for_training": "slow; test_compile.py compiles forward and backward",
    "test_tp_plan_matches_params": "a chain head is too narrow to be split over devices",
    "test_vision_axial_rope": _NO_ROTARY,
}

# Of models without tokens.
NO_TOKENS = dict.fromkeys(
    (
        "test_enable_input_require_grads_with_gradient_checkpointing",
        "test_inputs_embeds",
        "test_inputs_embeds_matches_input_ids",
        "test_resize_embeddings_untied",
        "test_resize_embeddings_untied_no_reinit_on_post_init",
        "test_resize_tokens_embeddings",
    ),
    "the input is features: there are no token embeddings",
)

# Of forecasters and image classifiers, which are no base models: they would pass the last of these without a check.
NO_BASE = {
    name: reason for name, reason in NO_TOKENS.items() if name != "test_inputs_embeds_matches_input_ids"
}

# Of models on an encoder of recordings or videos.
ENCODER = NO_BASE | {
    "test_can_init_all_missing_weights": "Wav2Vec2 and TimeSformer leave weights to torch",
}

# Of models with tokens.
TOKENS = {
    "test_inputs_embeds*": "input_features stand for what the embedding makes of tokens",
}

# Where there is no accelerator; where there is one, they run.
NEEDS_ACCELERATOR = dict.fromkeys(
    (
        "test_can_load_with_device_context_manager",
        "test_can_load_with_global_device_set",
        "test_cpu_offload",
        "test_disk_offload_bin",
        "test_disk_offload_safetensors",
    ),
    "needs an accelerator",
)
NEEDS_ACCELERATORS = {"test_model_parallelism": "needs several accelerators"}


def reason_for(name: str, table: dict[str, str]) -> str | None:
    """Return why the test `name` does not concern the models that the table is for, or None if it does."""
    reasons = [reason for pattern, reason in table.items() if fnmatchcase(name, pattern)]
    assert len(reasons) <= 1, f"{name} is excluded twice: {reasons}"
    return reasons[0] if reasons else None
