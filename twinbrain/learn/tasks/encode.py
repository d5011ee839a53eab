"""Codes: data become spikes of channels.

Each takes arrays, trials first, and returns ``uint8`` of shape (trial, step, channel). Those of xarray and pandas whose
dimensions have other names than are told are refused, as are options out of their bounds. A signal that is NaN is
absent: it gives no spikes. Codes compute in the precision of what they are given, single or double.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.coded import number, real_array, whole_number
from twinbrain.spec.suggest import listed

Spikes = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]

_SIGNAL = ("trial", "step", "feature")


def rate(values: Floats, n_steps: int, seed: int, gain: float = 1.0) -> Spikes:
    """Code values as rates of random spikes (`snntorch.spikegen.rate`).

    Parameters
    ----------
    values : ndarray of float, shape (trial, channel), or (trial, step, channel)
        From 0 to 1; the second form varies over time, and has ``n_steps`` steps.
    n_steps : int
        Steps of a trial.
    seed : int
        Names the draws; from 0 to 2⁶⁴ - 1.
    gain : float
        Probability of a spike a step where the value is 1.

    Raises
    ------
    LearnError
        If a value lies outside 0 … 1, the gain is above 1, or the steps do not fit.
    """
    import torch
    from snntorch import spikegen

    from twinbrain.engines.torch.defaults import own_defaults

    n_steps = whole_number("rate code", "n_steps", n_steps)
    seed = whole_number("rate code", "seed", seed, least=0, below=2**64)
    wanted, remedy = "from 0 to 1 spike a step", "lower the rate, or shorten dt"
    gain = number("rate code", "gain", gain, wanted, lambda value: 0 <= value <= 1, remedy)
    values = real_array("rate code", values, ("trial", "channel"), ("trial", "step", "channel"))
    _check_unit_interval(values)
    varies = values.ndim == 3
    if varies and values.shape[1] != n_steps:
        raise LearnError(f"rate code: expected values at {n_steps} steps, found {values.shape[1]}; resample them")
    # The library draws from torch's own generator: it is seeded for this draw, and put back. Probabilities are in
    # single precision, since draws of double precision are others.
    with own_defaults(), torch.random.fork_rng(devices=()):
        data = torch.as_tensor((np.moveaxis(values, 1, 0) if varies else values).astype(np.float32)) * gain
        torch.default_generator.manual_seed(seed)
        spikes = spikegen.rate(data, time_var_input=True) if varies else spikegen.rate(data, num_steps=n_steps)
    return _trial_first(spikes)


def latency(values: Floats, n_steps: int, tau: float | None = None, threshold: float = 0.01) -> Spikes:
    """Code values as the time of one spike, the larger the earlier (`snntorch.spikegen.latency_code`).

    Parameters
    ----------
    values : ndarray of float, shape (trial, channel)
        From 0 to 1.
    n_steps : int
        Steps of a trial.
    tau : float, optional
        Time constant, in steps, of an integrating membrane that the value charges; what comes too late is dropped. By
        default the time is linear: 1 spikes in the first step, 0 would in the last.
    threshold : float
        Values below it do not spike; above 0, and below 1.

    Raises
    ------
    LearnError
        If a value lies outside 0 … 1.
    """
    import torch
    from snntorch import spikegen

    from twinbrain.engines.torch.defaults import own_defaults

    n_steps = whole_number("latency code", "n_steps", n_steps)
    threshold = number("latency code", "threshold", threshold, "above 0 and below 1", lambda value: 0 < value < 1)
    values = real_array("latency code", values, ("trial", "channel"))
    _check_unit_interval(values)
    code: dict[str, Any] = {"linear": True, "normalize": True}
    if tau is not None:
        code = {"tau": number("latency code", "tau", tau, "of steps above 0", lambda value: value > 0)}
    if not values.size:  # of which the library would look for the smallest
        return np.zeros((len(values), n_steps, values.shape[1]), np.uint8)
    with own_defaults():
        data = torch.as_tensor(values)
        time, silent = spikegen.latency_code(data, num_steps=n_steps, threshold=threshold, **code)
    step = np.rint(time.numpy()).astype(np.int64)
    trial, channel = np.nonzero(~silent.numpy() & (step < n_steps))
    spikes = np.zeros((len(values), n_steps, values.shape[1]), np.uint8)
    spikes[trial, step[trial, channel], channel] = 1
    return spikes


def delta(signal: Floats, threshold: float) -> Spikes:
    """Code changes from step to step (as `snntorch.spikegen.delta`).

    Parameters
    ----------
    signal : ndarray of float, shape (trial, step, feature)
        What is coded.
    threshold : float
        Changes at least as large spike; above 0.

    Returns
    -------
    ndarray of uint8, shape (trial, step, 2 × feature)
        Channels of rises, then channels of falls.
    """
    threshold = number("delta code", "threshold", threshold, "above 0", lambda value: value > 0)
    signal = real_array("delta code", signal, _SIGNAL)
    with np.errstate(invalid="ignore", over="ignore"):  # between infinities there is no change
        change = np.diff(signal, axis=1, prepend=signal[:, :1])
    return np.concatenate([change >= threshold, change <= -threshold], axis=2).astype(np.uint8)


def crossings(signal: Floats, levels: Floats) -> Spikes:
    """Code the levels that a signal crosses from one step to the next, as in the sequential digits of Bellec (2018).

    Parameters
    ----------
    signal : ndarray of float, shape (trial, step, feature)
        What is coded. It starts below all levels.
    levels : ndarray of float, shape (level,)
        Ascending, one at least. They and the signal are compared in the coarser precision of both, so that 0.7 in
        single precision reaches 0.7 in double.

    Returns
    -------
    ndarray of uint8, shape (trial, step, 2 × feature × level)
        Channels of rises, by feature and level, then channels of falls.

    References
    ----------
    Bellec et al. (2018), arXiv 1803.09574.
    """
    levels = real_array("crossings code", levels, ("level",), what="levels")
    if not levels.size or not np.isfinite(levels).all() or (np.diff(levels) <= 0).any():
        found = listed([f"{level:g}" for level in levels])
        raise LearnError(f"crossings code: expected finite levels that ascend, found {found}; sort them, each once")
    signal = real_array("crossings code", signal, _SIGNAL)
    precision = min(signal.dtype, levels.dtype, key=lambda dtype: dtype.itemsize)
    with np.errstate(over="ignore"):  # what is beyond single precision is infinite there
        above = signal.astype(precision)[..., None] >= levels.astype(precision)
    before = np.concatenate([np.zeros_like(above[:, :1]), above[:, :-1]], axis=1)
    absent = np.isnan(signal)[..., None]
    absent = absent | np.concatenate([np.zeros_like(absent[:, :1]), absent[:, :-1]], axis=1)
    changes = [(above & ~before & ~absent), (~above & before & ~absent)]
    return np.concatenate([_by_channel(change) for change in changes], axis=2).astype(np.uint8)


def population(
    signal: Floats,
    n_encoders: int = 8,
    low: float = -2.0,
    high: float = 2.0,
    width: float = 1.0,
    peak: float = 0.2,
) -> Spikes:
    """Code each feature by a population of neurons, each of which prefers another value.

    A neuron's drive is a Gaussian of the distance of the feature from the value that it prefers. Drive is integrated
    without leak, and a spike subtracts the threshold: after any number of steps a neuron has spiked as often as its
    summed drive, rounded. Nothing is drawn.

    Parameters
    ----------
    signal : ndarray of float, shape (trial, step, feature)
        What is coded.
    n_encoders : int
        Neurons a feature, at least 2.
    low, high : float
        Preferred values of the first and the last, the others evenly between them.
    width : float
        Standard deviation of the Gaussian, in distances between neighbours; above 0.
    peak : float
        Spikes a step at the preferred value, at most 1.

    Returns
    -------
    ndarray of uint8, shape (trial, step, feature × n_encoders)

    Raises
    ------
    LearnError
        If there are too few encoders, they would spike more than once a step, or all prefer one value.

    References
    ----------
    Eliasmith & Anderson (2003), Neural Engineering; Gaussian receptive fields: Bohte et al. (2002),
    doi 10.1016/S0925-2312(01)00658-0.
    """
    n_encoders = whole_number("population code", "n_encoders", n_encoders, least=2)
    low = number("population code", "low", low)
    high = number(
        "population code", "high", high, f"that is finite, and not {low:g} as low is", lambda value: value != low
    )
    width = number("population code", "width", width, "above 0", lambda value: value > 0)
    wanted, remedy = "above 0 and up to 1 spike a step", "lower it, or shorten dt"
    peak = number("population code", "peak", peak, wanted, lambda value: 0 < value <= 1, remedy)
    signal = real_array("population code", signal, _SIGNAL)
    preferred = np.linspace(low, high, n_encoders)
    distance = (signal[..., None] - preferred) / (width * (high - low) / (n_encoders - 1))
    drive = _by_channel(np.nan_to_num(peak * np.exp(-0.5 * distance**2)))
    n_spikes = np.floor(np.cumsum(drive, axis=1) + 0.5)
    return np.diff(n_spikes, axis=1, prepend=0).astype(np.uint8)


def _trial_first(spikes: Any, dtype: Any = np.uint8) -> Any:
    return np.ascontiguousarray(np.moveaxis(spikes.numpy(), 0, 1).astype(dtype))


def _by_channel(values: NDArray[Any]) -> NDArray[Any]:
    """Return what is of shape (trial, step, feature, …) with channels in the place of all that follows the step."""
    return values.reshape(*values.shape[:2], math.prod(values.shape[2:]))


def _check_unit_interval(values: Floats) -> None:
    if values.size and (values.min() < 0 or values.max() > 1 or np.isnan(values).any()):
        raise LearnError(
            f"code: expected values from 0 to 1, found {values.min():g} to {values.max():g}; divide by the largest"
        )
