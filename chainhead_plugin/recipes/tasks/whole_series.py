"""The base of tasks about whole series, which the model reads itself or through a pretrained encoder."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..task import Task

if TYPE_CHECKING:
    from ..candidates.inputs.inputs import Inputs
    from ..data.examples import Data, Examples
    from ..recipe import Recipe

# Peers from aeon, which read whole series and are fitted without epochs.
PEERS_OF_SERIES = ("minirocket", "multirocket_hydra", "quant", "dtw")


class WholeSeries(Task):
    """Each time series is a chain of nodes, or of the patches that an encoder makes of it."""

    peers_without_encoder = (*PEERS_OF_SERIES, "random_chains")

    def check_data(self, recipe: "Recipe", data: "Data") -> None:
        """Check that the recipe's encoder takes all series."""
        super().check_data(recipe, data)
        if recipe.encoder:
            from ..pretrained.encoder import load_encoder
            from ..pretrained.series import check_series

            check_series(load_encoder(recipe).config, [*data.train.inputs, *data.test.inputs])

    def prepare(self, recipe: "Recipe", training: "Examples") -> "Inputs":
        """Fit a feature extractor; an encoder gets series as they are."""
        from ..candidates.inputs.chains import prepare_chains, prepare_encoded_chains

        return prepare_encoded_chains(recipe, training) if recipe.encoder else prepare_chains(training)

    def load_inputs(self, folder: Path) -> "Inputs":
        """Load the feature extractor."""
        from ..candidates.inputs.chains import load_chains

        return load_chains(folder)
