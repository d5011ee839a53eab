"""Bins of the recorded rates of a run: how wide they are, and that none was left out."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from twinbrain.errors import StoreError


def width_of_bins(rate: xr.Dataset) -> float:
    """Return the width of the bins of the recorded rates, in ms.

    Raises
    ------
    StoreError
        If it is not told; the times of the bins would tell another where some were left out.
    """
    if "bin" not in rate.attrs:
        raise StoreError(
            "expected the attribute 'bin' of the rates of the run, found none; give the run as it was opened"
        )
    return float(rate.attrs["bin"])


def check_whole_time(rate: xr.Dataset, end: float) -> None:
    """Make sure that no times of a run were left out, or brought into another order.

    What comes of the bins that are left would be taken for the rest of the run, and spikes, which are not selected by
    time, would stand beside rates of another part of it.

    Parameters
    ----------
    rate : xarray.Dataset
        The recorded rates of the run.
    end : float (ms)
        Until when it ran.

    Raises
    ------
    StoreError
        If some were.
    """
    time, width = rate["time"].values, width_of_bins(rate)
    n = math.ceil(end / width - 1e-6)
    if len(time) != n or not np.allclose(time, width * np.arange(n), rtol=1e-9, atol=1e-3 * width):
        raise StoreError(
            f"expected the rates of the whole run, {n} bins of {width:g} ms in their order, found {len(time)} that "
            "were selected: give the whole run, and start= and stop=, or select from the result"
        )
