import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import xarray as xr


@pytest.fixture(scope="session")
def example():
    """The module beside this file, which subprocesses run too."""
    spec = spec_from_file_location("store_example", Path(__file__).with_name("example.py"))
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "example.zarr"


@pytest.fixture(scope="session")
def seen(example):
    """What a plain xarray sees of a run; warnings are errors."""

    def open_and_load(path):
        with xr.open_datatree(path, engine="zarr") as tree:
            return example.contents(tree)

    return open_and_load


@pytest.fixture(scope="session")
def uninterrupted(example, seen, tmp_path_factory):
    """What is seen of a run of so many windows, written by one process."""
    known = {}

    def contents(n_windows):
        if n_windows not in known:
            path = tmp_path_factory.mktemp("uninterrupted") / "run.zarr"
            example.commit(example.create(path), range(n_windows))
            known[n_windows] = seen(path)
        return known[n_windows]

    return contents
