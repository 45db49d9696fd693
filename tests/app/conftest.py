"""The models of the zoo, opened once for all tests of the page."""

import pytest

from chainhead_plugin.app.opened import OpenModels


@pytest.fixture(scope="session")
def models():
    """All models of the zoo, as the page offers them."""
    return OpenModels()
