"""Checks of an installed wheel, run by `make test` from outside the checkout."""

from importlib.metadata import distribution
from pathlib import Path

import pytest

import twinbrain

CHECKOUT = Path(__file__).parents[2]


def test_imported_from_the_wheel():
    assert CHECKOUT not in Path(twinbrain.__file__).resolve().parents


def test_command_line_is_declared_and_imports():
    (script,) = distribution("twinbrain").entry_points.select(group="console_scripts", name="twinbrain")
    assert callable(script.load())


def test_is_typed():
    assert (Path(twinbrain.__file__).parent / "py.typed").is_file()


def test_content_is_there():
    assert twinbrain.region_names()
    assert twinbrain.workflow_names()


@pytest.mark.parametrize("name", twinbrain.region_names())
def test_region_loads(name):
    assert twinbrain.load_region(name).name == name


@pytest.mark.parametrize("name", twinbrain.workflow_names())
def test_workflow_parses(name):
    assert twinbrain.load_workflow(name)
