"""Health of gradients: whether they vanish or explode on their way back through time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.arguments import positive
from twinbrain.errors import LearnError

STATES = ("steady", "vanishing", "exploding", "none", "not finite")
"""What a gradient can be."""


def gradient_health(gradients: xr.Dataset, limit: float = 1e3) -> xr.Dataset:
    """Return whether the gradient of each layer vanishes or explodes towards early steps [1]_ [2]_.

    Parameters
    ----------
    gradients : xarray.Dataset
        ``norm`` (layer, step): of the derivative of the loss by what the layer does at the step. More dimensions, such
        as ``epoch``, may come too. Steps after the last that has a gradient in any layer are left out.
    limit : float, optional
        A gradient vanishes if it is so many times smaller in the first tenth of the steps than in the last, and
        explodes if it is so many times larger. Medians are compared.

    Returns
    -------
    xarray.Dataset, dim ``layer``
        ``ratio`` of early to late steps; ``factor`` by which the norm changes a step backwards, the root of the ratio;
        ``reach`` (steps), in which it falls to 1/e, or grows by e, infinite if it does neither; ``state``, one of
        ``STATES``.

    Raises
    ------
    LearnError
        If there are fewer than 2 steps, or they do not follow each other.

    References
    ----------
    .. [1] Bengio et al. 1994, doi 10.1109/72.279181
    .. [2] Pascanu et al. 2013, arXiv 1211.5063
    """
    if "norm" not in gradients.variables or not {"layer", "step"} <= set(gradients["norm"].dims):
        raise LearnError("gradients: expected the variable 'norm' with the dimensions layer and step, found none such")
    limit = positive("limit", limit)
    norm = gradients["norm"].transpose(..., "step")
    apart = np.diff(norm["step"].values.astype(np.float64))  # NaN where steps were added, as by `pad`
    if (np.isfinite(apart) & (apart != 1)).any():
        raise LearnError(
            "gradients: expected steps that follow each other, found some left out, or in another order; give all of a "
            "stretch, and select from the result"
        )
    values = norm.values.astype(np.float64)
    values = values[..., : _last(values) + 1]
    n_steps = values.shape[-1]
    if n_steps < 2:
        raise LearnError(f"gradients: expected at least 2 steps, found {n_steps}")
    part = max(1, n_steps // 10)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        early, late = (np.median(some, axis=-1) for some in (values[..., :part], values[..., -part:]))
        ratio = np.where(early == 0, 0, early / late)
        factor = ratio ** (1 / (n_steps - part))
        reach = 1 / np.abs(np.log(factor))
    silent = ~np.nan_to_num(values, nan=1.0).any(axis=-1)
    bad = ~np.isfinite(values).all(axis=-1)
    state = np.full(ratio.shape, STATES[0], dtype="<U10")
    state[ratio < 1 / limit] = STATES[1]
    state[ratio > limit] = STATES[2]
    state[silent] = STATES[3]
    state[bad] = STATES[4]
    dims = norm.dims[:-1]
    attrs = {
        "ratio": ("norm at early steps over that at late ones", "1"),
        "factor": ("change of the norm a step backwards", "1"),
        "reach": ("steps in which the norm changes by e", "step"),
    }
    found = {"ratio": ratio, "factor": factor, "reach": reach}
    variables = {
        name: (dims, np.where(bad | silent, np.nan, array), dict(zip(("long_name", "units"), attrs[name], strict=True)))
        for name, array in found.items()
    }
    coords = {name: coord for name, coord in norm.coords.items() if "step" not in coord.dims}
    return xr.Dataset(
        {**variables, "state": (dims, state, {"long_name": "state of the gradient"})}, coords, {"limit": limit}
    )


def _last(values: NDArray[np.float64]) -> int:
    """Return the last step with a gradient in any layer; the last of all, where there is none."""
    steps = np.flatnonzero((values != 0).reshape(-1, values.shape[-1]).any(axis=0))
    return int(steps[-1]) if len(steps) else values.shape[-1] - 1
