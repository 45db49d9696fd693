"""transformers' common model tests on every class, with options that take every path through the layers."""

from common_model_tests import FeatureModelTests, model_tests

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
