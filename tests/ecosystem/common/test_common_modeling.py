"""transformers' common model tests on every class, with options that cover every path through the layers."""

from common_model_tests import (
    AudioTests,
    FeatureModelTests,
    ForecastTests,
    ImageTests,
    TokenModelTests,
    VideoTests,
    model_tests,
)

TestSingleHop = model_tests(FeatureModelTests)
TestMultihop = model_tests(
    FeatureModelTests,
    bi_directional=True,
    with_multihop=True,
    h=2,
    accumulative=True,
    channel_num=3,
    enable_bias=True,
    with_residual=True,
    with_batch_norm=True,
    with_dropout=True,
    pooling="max",
)
TestInverse = model_tests(FeatureModelTests, with_inverse_approx=True, pooling="last")
TestBidirectionalInverse = model_tests(FeatureModelTests, with_inverse_approx=True, bi_directional=True)
TestExponential = model_tests(
    FeatureModelTests, with_exponential_approx=True, bi_directional=True, with_softmax=True
)
TestLorr = model_tests(FeatureModelTests, with_lorr=True, r=2, channel_num=2)
TestDualLphm = model_tests(
    FeatureModelTests, m=6, with_dual_lphm=True, r=2, channel_num=2, with_residual=True
)
TestTaylor = model_tests(FeatureModelTests, with_taylor=True, d=3, pooling="flatten", chain_length=9)
TestStack = model_tests(
    FeatureModelTests,
    hidden_sizes=[8, 6],
    with_lorr=True,
    with_taylor=True,
    enable_bias=True,
    with_dropout=True,
)
TestChannelHops = model_tests(
    FeatureModelTests, channel_hops=[0, 1, -2], bi_directional=True, hidden_sizes=[8, 6], pooling="max"
)
TestLearnedDecay = model_tests(
    FeatureModelTests, with_inverse_approx=True, decay=0.5, with_learned_decay=True, hidden_sizes=[8, 6]
)
TestTokens = model_tests(TokenModelTests, vocab_size=30, m=5, pad_token_id=0, hidden_sizes=[8, 6])
TestTextBackbone = model_tests(
    TokenModelTests,
    backbone_config={
        "model_type": "bert",
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "max_position_embeddings": 16,
    },
)
TestForecast = model_tests(ForecastTests, pooling="flatten", chain_length=9)
TestQuantileForecast = model_tests(
    ForecastTests,
    hidden_sizes=[8, 6],
    quantiles=[0.1, 0.5, 0.9],
    prediction_channel_indices=[1, 3],
    with_observed_indicator=True,
    num_time_features=2,
    m=12,
    pooling="last",
)
TestRowsOfPixels = model_tests(ImageTests, image_size=7, num_channels=1)
TestPatches = model_tests(ImageTests, patch_size=2, num_channels=2, bi_directional=True, hidden_sizes=[8, 6])
TestImageBackbone = model_tests(
    ImageTests,
    backbone_config={
        "model_type": "resnet",
        "embedding_size": 8,
        "hidden_sizes": [8, 12],
        "depths": [1, 1],
        "layer_type": "basic",
        "out_features": ["stage2"],
    },
    scan="row-major",
)
TestAudioEncoder = model_tests(
    AudioTests,
    backbone_config={
        "model_type": "wav2vec2",
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "conv_dim": [8],
        "conv_kernel": [10],
        "conv_stride": [5],
        "feat_extract_norm": "layer",
        "num_conv_pos_embeddings": 4,
        "num_conv_pos_embedding_groups": 2,
        "mask_time_prob": 0.0,
        "layerdrop": 0.0,
    },
    bi_directional=True,
)
TestVideoEncoder = model_tests(
    VideoTests,
    backbone_config={
        "model_type": "timesformer",
        "image_size": 8,
        "patch_size": 4,
        "num_frames": 2,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    },
)
