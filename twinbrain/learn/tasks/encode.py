"""Codes: data become spikes of channels.

Each takes arrays, trials first, and returns ``uint8`` of shape (trial, step, channel). Those of xarray and pandas whose
dimensions have other names than are told are refused. A signal that is NaN is absent: it gives no spikes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.labelled import refuse_disorder, with_dims
from twinbrain.spec.plain_array import plain_array

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
        Names the draws.
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

    values = _array("rate", values, ("trial", "channel"), ("trial", "step", "channel"))
    _check_unit_interval(values)
    if not 0 <= gain <= 1:
        raise LearnError(
            f"rate code: expected a gain from 0 to 1 spike a step, found {gain:g}; lower the rate, or shorten dt"
        )
    varies = values.ndim == 3
    if varies and values.shape[1] != n_steps:
        raise LearnError(f"rate code: expected values at {n_steps} steps, found {values.shape[1]}; resample them")
    # The library draws from torch's own generator: it is seeded for this draw, and put back.
    with own_defaults(), torch.random.fork_rng(devices=()):
        data = torch.as_tensor(np.moveaxis(np.asarray(values, np.float32), 1, 0) if varies else values) * gain
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
        Values below it do not spike.

    Raises
    ------
    LearnError
        If a value lies outside 0 … 1.
    """
    import torch
    from snntorch import spikegen

    from twinbrain.engines.torch.defaults import own_defaults

    values = _array("latency", values, ("trial", "channel"))
    _check_unit_interval(values)
    code: dict[str, Any] = {"linear": True, "normalize": True} if tau is None else {"tau": tau}
    with own_defaults():
        data = torch.as_tensor(np.asarray(values, np.float32))
        time, silent = spikegen.latency_code(data, num_steps=n_steps, threshold=threshold, **code)
    step = np.rint(time.numpy()).astype(np.int64)
    trial, channel = np.nonzero(~silent.numpy() & (step < n_steps))
    spikes = np.zeros((len(values), n_steps, values.shape[1]), np.uint8)
    spikes[trial, step[trial, channel], channel] = 1
    return spikes


def delta(signal: Floats, threshold: float) -> Spikes:
    """Code changes from step to step (`snntorch.spikegen.delta`).

    Parameters
    ----------
    signal : ndarray of float, shape (trial, step, feature)
        What is coded.
    threshold : float
        Changes at least as large spike.

    Returns
    -------
    ndarray of uint8, shape (trial, step, 2 × feature)
        Channels of rises, then channels of falls.
    """
    import torch
    from snntorch import spikegen

    from twinbrain.engines.torch.defaults import own_defaults

    signal = _array("delta", signal, _SIGNAL)
    with own_defaults():
        data = torch.as_tensor(np.moveaxis(np.asarray(signal, np.float32), 1, 0))
        change = _trial_first(spikegen.delta(data, threshold=threshold, padding=True, off_spike=True), np.int8)
    return np.concatenate([change > 0, change < 0], axis=2).astype(np.uint8)


def crossings(signal: Floats, levels: Floats) -> Spikes:
    """Code the levels that a signal crosses from one step to the next, as in the sequential digits of Bellec (2018).

    Parameters
    ----------
    signal : ndarray of float, shape (trial, step, feature)
        What is coded. It starts below all levels.
    levels : ndarray of float, shape (level,)
        Ascending.

    Returns
    -------
    ndarray of uint8, shape (trial, step, 2 × feature × level)
        Channels of rises, by feature and level, then channels of falls.

    References
    ----------
    Bellec et al. (2018), arXiv 1803.09574.
    """
    signal = _array("crossings", signal, _SIGNAL)
    above = signal[..., None] >= levels
    before = np.concatenate([np.zeros_like(above[:, :1]), above[:, :-1]], axis=1)
    absent = np.isnan(signal)[..., None]
    absent = absent | np.concatenate([np.zeros_like(absent[:, :1]), absent[:, :-1]], axis=1)
    changes = [(above & ~before & ~absent), (~above & before & ~absent)]
    return np.concatenate([change.reshape(*signal.shape[:2], -1) for change in changes], axis=2).astype(np.uint8)


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
        Standard deviation of the Gaussian, in distances between neighbours.
    peak : float
        Spikes a step at the preferred value, at most 1.

    Returns
    -------
    ndarray of uint8, shape (trial, step, feature × n_encoders)

    Raises
    ------
    LearnError
        If there are too few encoders, or they would spike more than once a step.

    References
    ----------
    Eliasmith & Anderson (2003), Neural Engineering; Gaussian receptive fields: Bohte et al. (2002),
    doi 10.1016/S0925-2312(01)00658-0.
    """
    if n_encoders < 2 or not 0 < peak <= 1:
        raise LearnError(
            f"population code: expected at least 2 encoders and a peak above 0 and up to 1 spike a step, found "
            f"{n_encoders} and {peak}; change them, or shorten dt"
        )
    signal = _array("population", signal, _SIGNAL)
    preferred = np.linspace(low, high, n_encoders)
    distance = (signal[..., None] - preferred) / (width * (high - low) / (n_encoders - 1))
    drive = np.nan_to_num(peak * np.exp(-0.5 * distance**2)).reshape(*signal.shape[:2], -1)
    n_spikes = np.floor(np.cumsum(drive, axis=1) + 0.5)
    return np.diff(n_spikes, axis=1, prepend=0).astype(np.uint8)


def _trial_first(spikes: Any, dtype: Any = np.uint8) -> Any:
    return np.ascontiguousarray(np.moveaxis(spikes.numpy(), 0, 1).astype(dtype))


def _array(code: str, values: Any, *shapes: tuple[str, ...]) -> NDArray[Any]:
    """Return values as an array of one of some shapes; whose dimensions have other names may be in another order."""
    where = f"{code} code"
    dims = next((dims for dims in shapes if len(dims) == np.ndim(values)), None)
    if dims is None:
        wanted = " or ".join(f"({', '.join(dims)})" for dims in shapes)
        raise LearnError(f"{where}: expected an array of shape {wanted}, found one of {np.ndim(values)} dimensions")
    try:
        array = with_dims(values, dims, "an array")
        refuse_disorder(array, dims[1:], "an array")  # of trials any order will do
        return np.require(plain_array(array, what="numbers"), requirements="W")  # torch warns of what is read-only
    except SpecError as error:
        raise LearnError(f"{where}: {error}") from None


def _check_unit_interval(values: Floats) -> None:
    if values.size and (values.min() < 0 or values.max() > 1 or np.isnan(values).any()):
        raise LearnError(
            f"code: expected values from 0 to 1, found {values.min():g} to {values.max():g}; divide by the largest"
        )
