"""The conformance suite: what any engine must do, ours or a plug-in's.

Each check takes an engine and a network and compares with the reference engine, bit by bit. Run them all with
`check_engine`, or one by one from a test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from twinbrain.engines.base import Engine, Recording, SimulationState, Spikes
from twinbrain.engines.reference import prepare as reference
from twinbrain.network.network import Network

Check = Callable[[Engine, Network, int], None]


class ConformanceError(AssertionError):
    """An engine that departs from the reference."""


class Outcome(NamedTuple):
    """What a run has recorded, and the state that it has reached."""

    recording: Recording
    state: SimulationState


def outcome(engine: Engine, network: Network, n_steps: int) -> Outcome:
    """Run a network for ``n_steps``."""
    simulation = engine(network)
    simulation.advance(n_steps)
    state = simulation.state()
    found = Outcome(simulation.collect(), state)
    simulation.close()
    return found


def check_spikes_and_samples(engine: Engine, network: Network, n_steps: int, expected: Outcome | None = None) -> None:
    """Check that spikes, samples and final state are those of the reference, whose outcome may be at hand."""
    expected = expected or outcome(reference, network, n_steps)
    found = outcome(engine, network, n_steps)
    _compare_states(expected.state, found.state)
    _compare(expected.recording, found.recording)


def check_windows_do_not_matter(engine: Engine, network: Network, n_steps: int) -> None:
    """Check that a run in windows of uneven length gives what one run gives."""
    whole, parts = engine(network), engine(network)
    whole.advance(n_steps)
    collected = []
    for n in _uneven(n_steps):
        parts.advance(n)
        collected.append(parts.collect())
    _compare_states(whole.state(), parts.state())
    _compare(whole.collect(), _join(collected))
    whole.close()
    parts.close()


def check_restore(engine: Engine, network: Network, n_steps: int) -> None:
    """Check that a run that goes on from a state, in a fresh simulation, gives what an undisturbed run gives."""
    whole, first, second = engine(network), engine(network), engine(network)
    half = n_steps // 2 + 1  # not a multiple of the drives' four steps
    whole.advance(half)
    whole.collect()
    whole.advance(n_steps - half)
    first.advance(half // 3)
    first.collect()
    first.advance(half - half // 3)
    second.advance(5)  # what it did before must not matter
    second.restore(first.state())
    second.advance(n_steps - half)
    _compare_states(whole.state(), second.state())
    _compare(whole.collect(), second.collect())
    for simulation in (whole, first, second):
        simulation.close()


def check_states_are_portable(engine: Engine, network: Network, n_steps: int) -> None:
    """Check that a state of the reference means the same to the engine, and the other way round."""
    for one, other in ((reference, engine), (engine, reference)):
        whole, first, second = one(network), one(network), other(network)
        half = n_steps // 2
        whole.advance(n_steps)
        first.advance(half)
        second.restore(first.state())
        second.advance(n_steps - half)
        _compare_states(whole.state(), second.state())
        for simulation in (whole, first, second):
            simulation.close()


def check_injected_spikes(engine: Engine, network: Network, n_steps: int) -> None:
    """Check that spikes from elsewhere arrive when they are due, also those of steps past."""
    expected, found = reference(network), engine(network)
    rng = np.random.default_rng(0)
    for simulation in (expected, found):
        simulation.advance(n_steps // 2)
    step = np.sort(rng.integers(max(0, n_steps // 2 - 20), n_steps // 2, 50)).astype(np.int32)
    spikes = Spikes(step, rng.integers(0, network.n_neurons, 50).astype(np.int32))
    for simulation in (expected, found):
        simulation.inject(spikes)
        simulation.advance(n_steps - n_steps // 2)
    _compare_states(expected.state(), found.state())
    _compare(expected.collect(), found.collect())
    found.close()


CHECKS: tuple[Check, ...] = (
    check_spikes_and_samples,
    check_windows_do_not_matter,
    check_restore,
    check_states_are_portable,
    check_injected_spikes,
)


def check_engine(engine: Engine, network: Network, n_steps: int) -> None:
    """Run every check.

    Parameters
    ----------
    engine : Engine
        What is tested.
    network : Network
        On which it is tested; it should spike.
    n_steps : int
        Length of each run.

    Raises
    ------
    ConformanceError
        Saying what differs first.
    """
    for check in CHECKS:
        check(engine, network, n_steps)


def count_mismatches(engine: Engine, network: Network, n_steps: int) -> tuple[int, int]:
    """Return how many spikes the reference and an engine have together, and how many of them only one has.

    Parameters
    ----------
    engine : Engine
        For example one of lower precision, which cannot be exact.
    network : Network
        On which they are compared.
    n_steps : int
        How long.
    """
    runs = [outcome(prepare, network, n_steps).recording.spikes for prepare in (reference, engine)]
    expected, found = (set(zip(spikes.step.tolist(), spikes.neuron.tolist(), strict=True)) for spikes in runs)
    return len(expected | found), len(expected ^ found)


def _uneven(n_steps: int) -> list[int]:
    parts = [1, 2, 7]
    parts = [n for n in parts if n < n_steps // 4]
    return [*parts, n_steps - sum(parts)]


def _join(recordings: list[Recording]) -> Recording:
    samples = {name: np.concatenate([r.samples[name] for r in recordings]) for name in recordings[0].samples}
    return Recording(Spikes.concatenate([r.spikes for r in recordings]), samples)


def _compare(expected: Recording, found: Recording) -> None:
    if len(expected.spikes) != len(found.spikes):
        n = min(len(expected.spikes), len(found.spikes))
        first = _first_difference(expected.spikes, found.spikes, n)
        raise ConformanceError(f"expected {len(expected.spikes)} spikes, found {len(found.spikes)}; {first}")
    if first := _first_difference(expected.spikes, found.spikes, len(expected.spikes)):
        raise ConformanceError(f"spikes differ: {first}")
    for name, values in expected.samples.items():
        if not np.array_equal(values, found.samples[name]):
            raise ConformanceError(f"samples of {name!r} differ")


def _first_difference(expected: Spikes, found: Spikes, n: int) -> str:
    differs = (expected.step[:n] != found.step[:n]) | (expected.neuron[:n] != found.neuron[:n])
    if not differs.any():
        return ""
    i = int(differs.argmax())
    return (
        f"spike {i}: expected neuron {expected.neuron[i]} in step {expected.step[i]}, "
        f"found neuron {found.neuron[i]} in step {found.step[i]}"
    )


def _compare_states(one: SimulationState, other: SimulationState) -> None:
    if one.step != other.step:
        raise ConformanceError(f"expected step {one.step}, found {other.step}")
    for name, values in one.variables.items():
        if not np.array_equal(values, other.variables[name]):
            i = int((values != other.variables[name]).argmax())
            raise ConformanceError(
                f"state {name!r} differs at step {one.step}: "
                f"neuron {i} has {values[i]!r} and {other.variables[name][i]!r}"
            )
    if _first_difference(one.under_way, other.under_way, min(len(one.under_way), len(other.under_way))) or (
        len(one.under_way) != len(other.under_way)
    ):
        raise ConformanceError("spikes under way differ")
