"""Lower constants, pulses, sines, given waveforms and given spikes: all that is a function of time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from twinbrain import units
from twinbrain.errors import Problem, SpecError
from twinbrain.network.given import read_samples, read_trains
from twinbrain.network.inputs import Events, Waveform
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import Floats
from twinbrain.spec.drive import Drive, Stimulus

_CYCLE = 2**64
# No run comes so far; sums of a few are still 64-bit integers.
_NEVER = 2.0**60


def lower_waveform(drive: Drive, steps: tuple[int, int], unit: str, quantum: float, dt: float) -> Waveform:
    """Return the waveform of a drive that has one, for a slice that is still to be filled in.

    Parameters
    ----------
    drive : Drive
        Of a current, pulses, a sine or given values; `signal_problems` has found nothing.
    steps : tuple of int
        When it acts: from the first on, before the second.
    unit : str
        Of the receptor's weights.
    quantum : float
        Of the receptor.
    dt : float (ms)
        Time step.

    Raises
    ------
    SpecError
        If an amplitude is of another unit, or beyond the range of an integer.
    """
    first, last = steps
    edges: Floats = np.zeros(1)
    period, amplitude, turn, phase = math.inf, 0, 0, 0

    def quanta(value: str | float, where: str) -> int:
        return int(in_quanta(np.array([units.coherent(value, unit)]), quantum, where)[0])

    if drive.pulses is not None:
        pulses = drive.pulses
        values = np.array([[quanta(pulses.amplitude, "pulses.amplitude")], [0]], np.int32)
        edges = np.array([0.0, _in_steps(pulses.width, dt)])
        period = math.inf if pulses.period is None else _in_steps(pulses.period, dt)
        first += _rounded(pulses.delay, dt)
    elif drive.sine is not None:
        sine = drive.sine
        values = np.array([[quanta(sine.offset, "sine.offset") if sine.offset is not None else 0]], np.int32)
        amplitude = quanta(sine.amplitude, "sine.amplitude")
        turn = round(sine.frequency * 1e-3 * dt * _CYCLE)
        phase = round(math.fmod(float(sine.phase) / (2 * math.pi), 1.0) * _CYCLE) % _CYCLE
    elif drive.waveform is not None:
        factor = units.coherent(1.0 if drive.waveform.unit == "1" else f"1 {drive.waveform.unit}", unit)
        rows = read_samples(drive.waveform) * factor
        values = np.ascontiguousarray(in_quanta(rows.ravel(), quantum, "waveform").reshape(rows.shape).T)
        interval = _in_steps(drive.waveform.interval, dt)
        edges = interval * np.arange(len(values), dtype=np.float64)
        if drive.waveform.repeat:
            period = len(values) * interval
        else:
            last = min(last, first + math.floor(len(values) * interval + 0.5))
    else:
        assert drive.current is not None
        values = np.array([[quanta(drive.current, "current")]], np.int32)
    return Waveform(drive.kind, 0, 0, first, last, values, edges, period, amplitude, turn, phase)


def lower_spikes(drive: Drive, place: int, size: int, first: int, unit: str, quantum: float, dt: float) -> Events:
    """Return the events of given spike trains.

    Parameters
    ----------
    drive : Drive
        Of spikes; `signal_problems` has found nothing.
    place, size : int
        The population's slice of the flat inbox.
    first : int
        Step of time zero.
    unit, quantum, dt
        As in `lower_waveform`.

    Raises
    ------
    SpecError
        If the weight is of another unit, or beyond the range of an integer.
    """
    assert drive.spikes is not None
    trains = _trains(drive, size)
    step = np.concatenate([np.empty(0, np.int64), *(first + _steps_of(train, dt) for train in trains)])
    places = np.repeat(np.arange(place, place + size, dtype=np.int32), [len(train) for train in trains])
    weight = in_quanta(np.array([units.coherent(drive.spikes.weight, unit)]), quantum, "spikes.weight")
    order = np.argsort(step, kind="stable")
    return Events(step[order], places[order], np.repeat(weight, len(step)))


def signal_problems(drive: Drive, sizes: set[int], dt: float, duration: float) -> Iterator[Problem]:
    """Yield what is wrong with a drive in view of its populations, the time step and the run.

    Parameters
    ----------
    drive : Drive
        A drive or a stimulus.
    sizes : set of int
        Sizes of the populations that it reaches.
    dt, duration : float (ms)
        Of the run.
    """
    lasts, end = math.inf, duration
    if isinstance(drive, Stimulus):
        lasts, end = drive.duration, min(drive.duration, duration - drive.start)
        if whole_steps(lasts, dt) < 1:
            yield _too_short("duration", lasts, dt)
            return
    try:
        if drive.spikes is not None:
            yield from _train_problems(drive, sizes, dt, end)
        elif drive.waveform is not None:
            n_rows = len(read_samples(drive.waveform))
            yield from _row_problems("waveform", "rows of values", n_rows, sizes)
            if _in_steps(drive.waveform.interval, dt) < 1:
                yield _too_short("waveform.interval", drive.waveform.interval, dt)
        elif drive.pulses is not None and _rounded(drive.pulses.width, dt) < 1:
            yield _too_short("pulses.width", drive.pulses.width, dt)
        elif drive.pulses is not None and drive.pulses.delay > lasts - 0.5 * dt:
            message = f"expected a delay below the {lasts:g} ms of the stimulus, found "
            yield Problem("pulses.delay", f"{message}{drive.pulses.delay:g} ms; make it shorter")
        elif drive.sine is not None and (highest := 500.0 / dt) <= drive.sine.frequency:
            message = f"expected less than {highest:g} Hz, half of what steps of {dt:g} ms can follow, found "
            yield Problem("sine.frequency", f"{message}{drive.sine.frequency:g} Hz; make it or run.dt smaller")
    except SpecError as error:
        yield from error.problems


def _train_problems(drive: Drive, sizes: set[int], dt: float, end: float) -> Iterator[Problem]:
    assert drive.spikes is not None
    trains = read_trains(drive.spikes)
    where = "spikes.times" if drive.spikes.file is None else "spikes.file"
    if drive.spikes.file is None:
        yield from _row_problems(where, "spike trains", len(trains), sizes)
    elif sizes and len(trains) > (size := min(sizes)):
        yield Problem(where, f"expected neurons below the population's size of {size}, found {len(trains) - 1}")
    for neuron, train in enumerate(trains):
        step = _steps_of(train, dt)
        if len(step) and step[-1] * dt > end - 0.5 * dt:
            yield Problem(
                where,
                f"expected times before {end:g} ms, where the run or the stimulus ends, found {train[-1]:g} ms of "
                f"neuron {neuron}; drop what is later, or make it longer",
            )
        elif (together := np.diff(step) == 0).any():
            i = int(together.argmax())
            yield Problem(
                where,
                f"expected at most one spike a step of {dt:g} ms, found {train[i]:g} ms and {train[i + 1]:g} ms of "
                f"neuron {neuron}; drop one, or make run.dt smaller",
            )


def _row_problems(where: str, what: str, found: int, sizes: set[int]) -> Iterator[Problem]:
    if wrong := sorted(size for size in sizes if found not in (1, size)):
        yield Problem(
            where, f"expected 1 or {wrong[0]} {what}, for all neurons of the population or one each, found {found}"
        )


def _too_short(where: str, found: float, dt: float) -> Problem:
    return Problem(where, f"expected at least one step of {dt:g} ms, found {found:g} ms; make it longer")


def _trains(drive: Drive, size: int) -> list[Floats]:
    """Return a train for each neuron."""
    assert drive.spikes is not None
    trains = read_trains(drive.spikes)
    if drive.spikes.file is None and len(trains) == 1:
        return trains * size
    return trains + [np.empty(0)] * (size - len(trains))


def whole_steps(time: float, dt: float) -> int:
    """Return a time in steps, to the nearest; of a time that no run reaches, a step that none does."""
    return round(min(time / dt, _NEVER))


def _in_steps(time: float, dt: float) -> float:
    """Return a time in steps, exactly where it is a whole number of them."""
    steps = min(time / dt, _NEVER)
    return float(round(steps)) if abs(steps - round(steps)) < 1e-6 else steps


def _rounded(time: float, dt: float) -> int:
    return math.floor(_in_steps(time, dt) + 0.5)


def _steps_of(times: Floats, dt: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    with np.errstate(over="ignore"):
        return np.floor(np.minimum(times / dt, _NEVER) + 0.5).astype(np.int64)
