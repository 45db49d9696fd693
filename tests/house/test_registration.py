"""Registration with transformers by import, by a call and by the zoo's host, each in a new process."""

import multiprocessing
import subprocess
import sys
import textwrap

import pytest
from fresh_processes import run_fresh

SEES_CHAINHEAD = """
    from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForSequenceClassification
    from transformers import AutoModelForTimeSeriesPrediction, AutoModelForTokenClassification
    from transformers.models.auto import modeling_auto
    from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING
    from transformers.pipelines import PIPELINE_REGISTRY
    config = AutoConfig.for_model("chainhead")
    for auto in (AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification):
        assert type(auto.from_config(config)).__module__ == "chainhead_plugin.models.modeling_chainhead"
    from transformers import AutoModelForImageClassification
    from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING
    images = AutoModelForImageClassification._model_mapping[type(config)]
    assert images.__module__ == "chainhead_plugin.models.modeling_chainhead_image"
    assert IMAGE_PROCESSOR_MAPPING[type(config)]["torchvision"].__name__ == "ChainHeadImageProcessor"
    forecaster = AutoModelForTimeSeriesPrediction.from_config(type(config)(prediction_length=2))
    assert type(forecaster).__module__ == "chainhead_plugin.models.modeling_chainhead_forecast"
    assert FEATURE_EXTRACTOR_MAPPING[type(config)].__name__ == "ChainHeadFeatureExtractor"
    assert type(config) in TOKENIZER_MAPPING
    assert type(config) in modeling_auto.MODEL_FOR_TIME_SERIES_CLASSIFICATION_MAPPING
    assert type(config) in modeling_auto.MODEL_FOR_TIME_SERIES_REGRESSION_MAPPING
    tasks = {"time-series-classification", "time-series-forecasting", "time-series-segmentation"}
    assert tasks <= {*PIPELINE_REGISTRY.get_supported_tasks()}
    random_chains = AutoConfig.for_model("chainhead-random")
    assert type(random_chains).__module__ == "chainhead_plugin.config.configuration_random_chain"
    model = AutoModelForSequenceClassification.from_config(random_chains)
    assert type(model).__module__ == "chainhead_plugin.models.modeling_random_chain"
    assert FEATURE_EXTRACTOR_MAPPING[type(random_chains)].__name__ == "ChainHeadFeatureExtractor"
    assert type(random_chains) in modeling_auto.MODEL_FOR_TIME_SERIES_CLASSIFICATION_MAPPING
    assert type(random_chains) in modeling_auto.MODEL_FOR_TIME_SERIES_REGRESSION_MAPPING
    print("seen")
"""


def run(code):
    return run_fresh(code, warnings=["error"])


def assert_runs(code, output="seen\n"):
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout == output


@pytest.mark.parametrize(
    "first",
    [
        "import chainhead_plugin",
        "import transformers, chainhead_plugin",
        "from transformers import AutoModel, pipeline; import chainhead_plugin",
        "import chainhead_plugin; from transformers import pipeline",
        "import chainhead_plugin.models.modeling_chainhead",
        "import chainhead_plugin.models.modeling_chainhead_forecast",
        "import chainhead_plugin.models.modeling_random_chain",
        "import chainhead_plugin.config.configuration_random_chain",
        "import chainhead_plugin.hub.sharing",
        "import chainhead_plugin.config.backbone",
        "import chainhead_plugin.pipelines.base",
        "import chainhead_plugin.nodes.image_backbone",
        "import chainhead_plugin.models.modeling_chainhead_image",
        "import chainhead_plugin.inputs.image_processing_chainhead",
        "from chainhead_plugin import ChainHeadConfig",
        "import chainhead_plugin; [chainhead_plugin.register() for _ in range(100)]",
        "import registry; report = registry.load_plugins(); assert not report.failed, report",
        "import registry; registry.list_models(); import chainhead_plugin",
        "import chainhead_plugin, transformers.modeling_utils",
        "import chainhead_plugin, transformers.modeling_layers",
        "import chainhead_plugin, transformers.models.bert.modeling_bert",
        "import chainhead_plugin, transformers.models.auto.modeling_auto",
        "import chainhead_plugin, transformers.pipelines.base",
        "import chainhead_plugin, transformers.trainer",
        "import chainhead_plugin; from transformers import PreTrainedModel, Trainer",
    ],
)
def test_every_way_in(first):
    assert_runs(first + "\n" + textwrap.dedent(SEES_CHAINHEAD))


def test_importing_is_cheap():
    code = """
import sys, chainhead_plugin, chainhead_plugin.plugin, registry
registry.list_models()
heavy = {"torch", "transformers", "timm", "numpy"} & sys.modules.keys()
print(sorted(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_from_sixteen_threads():
    assert_runs(
        """
        from concurrent.futures import ThreadPoolExecutor
        import chainhead_plugin
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: chainhead_plugin.register(), range(100)))
        """
        + SEES_CHAINHEAD.replace("\n    ", "\n        ")
    )


def _config_name(_):
    from transformers import AutoConfig

    import chainhead_plugin

    chainhead_plugin.register()
    return type(AutoConfig.for_model("chainhead")).__name__


def test_in_spawned_processes():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_config_name, range(4)) == ["ChainHeadConfig"] * 4


def test_a_model_type_taken_by_another_distribution_is_an_error_that_names_both():
    done = run(
        """
        from transformers import AutoConfig, PreTrainedConfig
        class Other(PreTrainedConfig):
            model_type = "chainhead"
        Other.__module__ = "timm.impostor"
        AutoConfig.register("chainhead", Other)
        import chainhead_plugin
        """
    )
    assert done.returncode == 1
    # Python 3.10 knows few distributions by their modules.
    stderr = done.stderr.replace("the module 'timm'", "timm")
    assert (
        "RegistrationError: model type 'chainhead' is already registered by timm (timm.impostor.Other)"
        in stderr
    )
    assert "chainhead-plugin cannot register it" in done.stderr


def test_a_model_type_taken_afterwards_is_an_error_of_the_next_registration():
    assert_runs(
        """
        import chainhead_plugin, registry
        from transformers import AutoConfig, PreTrainedConfig
        class Other(PreTrainedConfig):
            model_type = "chainhead"
        AutoConfig.register("chainhead", Other)
        [failed] = registry.load_plugins().failed
        print(failed.distribution, type(failed.error).__name__)
        """,
        "chainhead-plugin RegistrationError\n",
    )


def test_unknown_names_are_attribute_errors():
    assert_runs(
        """
        import chainhead_plugin
        try:
            chainhead_plugin.ChainHeadForEverything
        except AttributeError as error:
            print(error)
        """,
        "module 'chainhead_plugin' has no attribute 'ChainHeadForEverything'\n",
    )
