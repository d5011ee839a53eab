"""Read the parts of a run that every analysis needs: its populations, its clock, its stimuli."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.bins import check_whole_time
from twinbrain.analysis.dimensions import DIMENSIONS, check_dimensions
from twinbrain.connectome.normalise import normalise
from twinbrain.errors import ConnectomeError, StoreError, UnitError
from twinbrain.language.tokens import printable
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.labels import matching
from twinbrain.units import number

_SHORT = 500.0  # ms
# Where a run tells what regions it has.
_LABELS = (("connectome", "target"), ("network", "label"))
_TEXTS = ("label", "region", "family", "name", "transmitter", "model")


def check_run(tree: xr.DataTree) -> None:
    """Make sure that what is to be analysed or drawn as a run is a tree, and no result of one.

    Raises
    ------
    StoreError
        If it is something else.
    """
    if not isinstance(tree, xr.DataTree):
        raise StoreError(f"expected a run, as tb.open_run and tb.simulate give it, found a {type(tree).__name__}")


def group(tree: xr.DataTree, name: str, hint: str) -> xr.Dataset:
    """Return a group of a run; what it holds stays on disk.

    Raises
    ------
    StoreError
        If the run lacks it, and the message ends in ``hint``; or if what it holds is not that of one run.
    """
    check_run(tree)
    if name not in tree.children:
        found = ", ".join(tree.children) or "none"
        raise StoreError(f"expected the group {name!r} in the run, found {found}; {hint}")
    dataset = tree[name].dataset
    check_dimensions(name, dataset, DIMENSIONS.get(name, {}))
    return dataset


def with_network(tree: xr.DataTree) -> xr.DataTree:
    """Return a run whose populations are in memory, for many analyses, each of which reads them anew."""
    check_run(tree)
    found = tree.copy()
    if (network := found.children.get("network")) is not None:
        network.dataset = network.to_dataset(inherit=False).compute()
    return found


def populations(tree: xr.DataTree) -> xr.Dataset:
    """Return the populations of a run.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.

    Returns
    -------
    xarray.Dataset, dim ``population``
        Named ``"label/name"``. ``region`` is the label of the region, ``module`` what stands there
        (``"cortex/column"``), ``family`` the first part of that; ``name``, ``transmitter``, ``model``, ``start``
        (number of its first neuron) and ``size``.

    Raises
    ------
    StoreError
        If the tree is not a run.
    """
    return populations_of(population_columns(tree)).copy(deep=True)  # the caller may write into it


Columns = tuple[tuple[tuple[str, ...], ...], tuple[int, ...], tuple[int, ...]]
"""What a run says of its populations: the texts of each of ``_TEXTS``, first neurons, sizes."""


def population_columns(tree: xr.DataTree) -> Columns:
    """Return what a run says of its populations, as plain values."""
    network = _read(group(tree, "network", "open a run of twinbrain, not a part of it"), *_TEXTS, "start", "size")
    texts = tuple(tuple(map(str, network[key].tolist())) for key in _TEXTS)
    return texts, tuple(network["start"].tolist()), tuple(network["size"].tolist())


def _read(network: xr.Dataset, *names: str) -> dict[str, NDArray[Any]]:
    """Return some of its arrays, read at once: one by one, lazy ones take milliseconds each."""
    found = xr.Dataset({name: network.variables[name] for name in names}).compute()
    return {name: found[name].values for name in names}


@lru_cache(maxsize=4)  # each analysis asks anew, and so does each point of a sweep
def populations_of(columns: Columns) -> xr.Dataset:
    """Return the table of populations, which is shared: see `populations`."""
    columns_of_text, start, size = columns
    texts = {key: np.array(column, dtype=np.str_) for key, column in zip(_TEXTS, columns_of_text, strict=True)}
    names = [f"{label}/{name}" for label, name in zip(texts["label"], texts["name"], strict=True)]
    if not names:
        raise StoreError("expected populations in the run, found none that were selected: give the whole run")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise StoreError(
            f"expected populations of different names in the run, found {printable(twice)[:60]!r} twice: if they were "
            "selected or concatenated, take each once; else the run is damaged: restore it from a copy, or start it "
            "anew"
        )
    arrays = {
        "region": texts["label"],
        "module": texts["region"],
        **{key: texts[key] for key in ("family", "name", "transmitter", "model")},
        "start": np.array(start, np.int64),
        "size": np.array(size, np.int64),
    }
    return xr.Dataset({key: ("population", array) for key, array in arrays.items()}, {"population": names})


def check_all_populations(tree: xr.DataTree, path: str) -> int:
    """Make sure that no populations of a run were left out, of whose neurons something tells, and count these.

    Raises
    ------
    StoreError
        If some were.
    """
    network = group(tree, "network", "open a run of twinbrain, not a part of it")
    start, size = _read(network, "start", "size").values()
    n = int(size.sum())
    # Neurons are counted over all populations, in their order.
    if n != network.attrs.get("n_neurons", n) or (start != np.cumsum(size) - size).any():
        raise StoreError(
            f"expected all populations of the run, in their order, which {path} tells of; found {len(size)} that were "
            "selected: give the whole run, and select from the result"
        )
    return n


def check_whole_groups(tree: xr.DataTree, by: str) -> None:
    """Make sure that no populations of a run were left out of what is to be a mean over groups of them.

    Raises
    ------
    StoreError
        If some were.
    """
    network = group(tree, "network", "open a run of twinbrain, not a part of it")
    if by != "population" and _some_are_left_out(network):
        raise StoreError(
            f"expected all populations of the run, over which means by {by} are taken, found "
            f"{network.sizes['population']} that were selected: give the whole run, and select from the result, or "
            "take by='population'"
        )


def _some_are_left_out(network: xr.Dataset) -> bool:
    n = int(network["size"].sum())
    return bool(n != network.attrs.get("n_neurons", n))


def check_neurons(tree: xr.DataTree, neuron: NDArray[Any], path: str) -> None:
    """Make sure that numbers of neurons, which an array of a run holds, are of neurons that it has.

    Raises
    ------
    StoreError
        If one is not, or populations of the run were left out.
    """
    n = check_all_populations(tree, path)
    if len(neuron) and (neuron.min() < 0 or neuron.max() >= n):
        raise StoreError(
            f"expected numbers of neurons from 0 to {n - 1} in {path}, found {neuron.min()} to {neuron.max()}: the run "
            "is damaged; restore it from a copy, or start it anew"
        )


def regions(tree: xr.DataTree) -> xr.Dataset:
    """Return the regions of a run.

    Returns
    -------
    xarray.Dataset, dim ``region``
        ``module``, ``family``, ``n_neurons`` and ``n_populations`` of each, counted over the populations that are
        there, if some were selected.
    """
    table = populations(tree)
    labels, first, index = np.unique(table["region"].values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return xr.Dataset(
        {
            "module": ("region", table["module"].values[first[order]]),
            "family": ("region", table["family"].values[first[order]]),
            "n_neurons": ("region", np.bincount(index, table["size"].values)[order].astype(np.int64)),
            "n_populations": ("region", np.bincount(index)[order]),
        },
        {"region": labels[order]},
    )


def connectome(tree: xr.DataTree) -> Connectome:
    """Return the connectome of a run, with its weights normalised as they were simulated.

    The store holds them as they were declared, and in its spec what the brain does to them.

    Raises
    ------
    StoreError
        If regions were selected whose weights were normalised together with those of others.
    """
    dataset = group(tree, "connectome", "open a run of twinbrain, not a part of it")
    try:
        declared = json.loads(tree.attrs.get("spec", "{}")).get("brain", {}).get("normalisation", "none")
    except (AttributeError, TypeError, ValueError):  # a spec that tells nothing, as of stimuli
        declared = "none"
    matrices = {key: ("target", "source") for key in ("weight", "length") if key in dataset}
    check_dimensions("connectome", dataset, matrices)
    if declared != "none":
        _check_all_regions(tree, dataset)
    try:
        return normalise(Connectome.from_dataset(dataset.compute()), str(declared))
    except ConnectomeError as error:
        raise StoreError(f"connectome of the run: {error}") from None


def _check_all_regions(tree: xr.DataTree, dataset: xr.Dataset) -> None:
    """Make sure that no regions were left out: what is left would be normalised to other weights."""
    network = group(tree, "network", "open a run of twinbrain, not a part of it")
    lacking = set(map(str, network["label"].values)) - set(map(str, dataset["target"].values))
    if lacking or _some_are_left_out(network):
        raise StoreError(
            f"expected all regions of the run, whose weights are normalised together, found {dataset.sizes['target']} "
            "that were selected: give the whole run, and select from its connectome: run.twin.connectome.select(...)"
        )


@dataclass(frozen=True)
class Clock:
    """Steps of a run between two times.

    Parameters
    ----------
    dt : float (ms)
        Length of a step.
    start, stop : int
        The first step, and the one after the last.
    """

    dt: float
    start: int
    stop: int

    def steps(self, interval: str, name: str) -> int:
        """Return an interval, such as ``"3 ms"``, in steps.

        Raises
        ------
        UnitError
            If it is no positive multiple of the step.
        """
        length = number(interval, "ms")
        steps = round(length / self.dt)
        if steps < 1 or not math.isclose(steps * self.dt, length, rel_tol=1e-6):
            raise UnitError(f"expected {name} as a multiple of the time step of {self.dt:g} ms, found {interval!r}")
        return steps


def clock(tree: xr.DataTree, start: str | None = None, stop: str | None = None) -> Clock:
    """Return the steps from ``start`` to ``stop``, cut off where the run ends.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    start, stop : str, optional
        Such as ``"500 ms"``; by default, all that has been committed.

    Raises
    ------
    UnitError
        If there is nothing between the two.
    StoreError
        If some times of the run were selected; ``start`` and ``stop`` do that.
    """
    check_run(tree)
    if "dt" not in tree.attrs:
        raise StoreError("expected the attribute 'dt' of a run, found none; open a run of twinbrain, not a part of it")
    dt = float(tree.attrs["dt"])
    end = float(tree.attrs.get("committed", tree.attrs.get("duration", 0.0)))
    low = 0.0 if start is None else number(start, "ms")
    high = end if stop is None else min(number(stop, "ms"), end)
    if low < 0 or low >= high:
        raise UnitError(
            f"expected start before stop, within the {end:g} ms that the run holds, "
            f"found start {start!r} and stop {stop!r}"
        )
    if "rate" in tree.children:
        check_whole_time(group(tree, "rate", "record rates when you run"), end)
    # A time that is a step but for rounding is that step.
    return Clock(dt, math.ceil(low / dt - 1e-6), math.ceil(high / dt - 1e-6))


@dataclass(frozen=True)
class Span:
    """When a stimulus was on, in ms, and whom it reached.

    Parameters
    ----------
    name : str
        Of the stimulus.
    start, stop : float (ms)
        When it began and ended.
    regions : tuple of str
        Labels of the regions that it was given to.
    population : str
        Name of the population there.
    pulses : tuple of (float, float), optional
        Where it is a train of them, when each of its pulses within the run began and ended.
    """

    name: str
    start: float
    stop: float
    regions: tuple[str, ...] = ()
    population: str = "*"
    pulses: tuple[tuple[float, float], ...] | None = None

    @property
    def on(self) -> tuple[tuple[float, float], ...]:
        """When it was on: during its pulses, or all the time."""
        return ((self.start, self.stop),) if self.pulses is None else self.pulses

    def reaches(self, region: str, population: str) -> bool:
        """Return whether it reached a population of a region."""
        return region in self.regions and self.population in ("*", population)


def stimuli(tree: xr.DataTree) -> list[Span]:
    """Return when each stimulus of a run was on, and whom it reached; none where the stored spec does not tell."""
    try:
        found = json.loads(tree.attrs.get("spec", "{}")).get("stimuli") or []
        end = float(tree.attrs.get("committed", tree.attrs.get("duration", 0.0)))
        # A name as it stands means that region alone, so it is looked for among all there are.
        labels = [
            str(label) for name, key in _LABELS if name in tree.children for label in tree[name].dataset[key].values
        ]
        return [_span(stimulus, labels, float(tree.attrs.get("dt", 0.0)), end) for stimulus in found]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def _span(stimulus: dict[str, Any], labels: Sequence[str], dt: float, end: float) -> Span:
    start = number(stimulus["start"], "ms")
    stop = start + number(stimulus["duration"], "ms")
    train = stimulus.get("pulses") or {}
    period = None if train.get("period") is None else number(train["period"], "ms")
    pulses = None
    # Pulses that follow each other within a step cannot be told apart.
    if period is not None and period >= dt:
        width, first = number(train["width"], "ms"), start + number(train.get("delay", "0 ms"), "ms")
        # As many as the run has, however many were declared.
        onsets = first + period * np.arange(max(0, math.ceil((min(stop, end) - first) / period)))
        pulses = tuple((float(onset), min(float(onset) + width, stop)) for onset in onsets)
    population = str(stimulus.get("population", "*"))
    regions = tuple(matching(str(stimulus.get("regions", "*")), labels))
    return Span(str(stimulus["name"]), start, stop, regions, population, pulses)


def warm_up(tree: xr.DataTree) -> str | None:
    """Return the end of the part of a run that is left out of means: a tenth of it, and at most 500 ms.

    A run begins in a state that it would never be in later. None for a run of less than 500 ms.
    """
    part = clock(tree)
    end = part.stop * part.dt
    return None if end < _SHORT else f"{min(end / 10, _SHORT):.15g} ms"
