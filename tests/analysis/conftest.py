import importlib.util
import sys
from pathlib import Path

import pytest
import xarray as xr

# Imported by its path, since test folders are no packages.
_spec = importlib.util.spec_from_file_location("runs", Path(__file__).parent / "runs.py")
runs = sys.modules.setdefault("runs", importlib.util.module_from_spec(_spec))
if not hasattr(runs, "make_run"):
    _spec.loader.exec_module(runs)


@pytest.fixture(scope="session")
def run():
    """20 s of 40 Poisson neurons at 10 Hz, 10 regular ones at 25 Hz, 20 alike at 20 Hz, and 5 silent ones."""
    return runs.known_run()


@pytest.fixture(scope="session")
def make_run():
    return runs.make_run


@pytest.fixture(scope="session")
def helpers():
    return runs


@pytest.fixture
def save_run(tmp_path):
    """Write a run to Zarr in small chunks, as plain xarray does, and open it lazily."""

    def save(tree, name="run.zarr"):
        path = tmp_path / name
        chunks = {"spikes": 500, "rate": 1000}
        encoding = {
            f"/{group}": {
                variable: {"chunks": (size, *tree[group][variable].shape[1:])}
                for variable in ("time_step", "neuron", "rate")
                if group in tree.children and variable in tree[group].data_vars
            }
            for group, size in chunks.items()
        }
        tree.to_zarr(path, zarr_format=3, consolidated=False, encoding={k: v for k, v in encoding.items() if v})
        return xr.open_datatree(path, engine="zarr", chunks={}, consolidated=False)

    return save
