"""Where models are written."""

import pytest

import twinbrain as tb
from tests.exchange.models import leaky_region


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "circuit"


@pytest.fixture
def leaky(folder):
    """A written circuit, to be read or spoilt."""
    tb.write_sonata(leaky_region("exponential_current"), folder, seed=3)
    return folder


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.nir"
