"""Open a run, with the accessor ``run.twin`` at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import twinbrain.analysis.accessor  # noqa: F401  (registers run.twin)
from twinbrain import store

if TYPE_CHECKING:
    import xarray as xr


def open_run(path: str | Path | store.Location) -> xr.DataTree:
    """Return a run, lazily: nothing but its metadata is read.

    Parameters
    ----------
    path : str or Path
        The run, such as ``"runs/rest.zarr"`` or ``"s3://bucket/rest.zarr"``.

    Returns
    -------
    xarray.DataTree
        What plain ``xarray.open_datatree`` gives; its analysis is at ``.twin``.

    Raises
    ------
    StoreError
        If there is none, or it is foreign or of another version.
    """
    return store.open_run(path)
