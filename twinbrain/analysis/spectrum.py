"""Power spectra of firing rates."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinbrain.analysis.grouping import By
from twinbrain.analysis.rates import rates
from twinbrain.errors import UnitError
from twinbrain.units import number


def spectrum(
    tree: xr.DataTree,
    by: By = "family",
    segment: str = "1 s",
    bin: str | None = None,
    start: str | None = None,
    stop: str | None = None,
) -> xr.DataArray:
    """Return power spectral densities of firing rates, by Welch's method [1]_.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    by : {"population", "region", "kind", "family"}
        Whose mean rate is taken.
    segment : str, optional
        Length of the half overlapping segments, Hann windowed and each freed of its mean. The resolution is the inverse
        of it. A run that is shorter is one segment.
    bin : str, optional
        Width of the bins of the rates, by default as recorded.
    start, stop : str, optional
        Part of the run.

    Returns
    -------
    xarray.DataArray, dims (frequency, by), Hz^2/Hz
        ``frequency`` in Hz, without 0.

    Raises
    ------
    UnitError
        If there are fewer than 8 bins to a segment.

    References
    ----------
    .. [1] Welch 1967, doi 10.1109/TAU.1967.1161901
    """
    from scipy.signal import welch

    rate = rates(tree, bin, by, start, stop)
    width = number(rate.attrs["bin"], "ms")
    n = min(round(number(segment, "ms") / width), rate.sizes["time"])
    if n < 8:
        raise UnitError(f"expected segments of at least 8 bins of {width:g} ms, found {n}; take a longer segment")
    frequency, power = welch(rate.values, fs=1000 / width, nperseg=n, detrend="constant", axis=0)
    coords = {name: coord for name, coord in rate.coords.items() if "time" not in coord.dims}
    axis = ("frequency", frequency[1:], {"units": "Hz", "long_name": "frequency"})
    return xr.DataArray(
        np.asarray(power)[1:],
        coords | {"frequency": axis},
        ("frequency", by),
        name="spectrum",
        attrs={"long_name": "power spectral density of the rate", "units": "Hz^2/Hz", "segment": f"{n * width:g} ms"},
    )
