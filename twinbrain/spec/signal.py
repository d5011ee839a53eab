"""Signals: what a drive or a stimulus may give as a function of time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from twinbrain import units
from twinbrain.errors import Problem
from twinbrain.paths import whole_path
from twinbrain.spec.arrays import Folder
from twinbrain.spec.base import Spec
from twinbrain.spec.labelled import refuse_disorder, refuse_other_labels, with_dims
from twinbrain.spec.numbered_neurons import refuse_other_neurons
from twinbrain.spec.plain_array import is_row, numbers_and_unit, plain_array
from twinbrain.spec.plain_numbers import numbers_alone
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import Milliseconds, Quantity, Rate, default
from twinbrain.spec.sampled_times import refuse_other_times


def _time_unit(unit: str) -> str:
    units.coherent(f"1 {unit}", "ms")
    return unit


def _unit(unit: str) -> str:
    units.coherent_factor(unit)
    return unit


def _rows(value: Any, info: ValidationInfo) -> Any:
    """Return nested lists: of an array, of several, or of one list that all neurons share."""
    rows = _lists(value, info.data, of_spikes=info.field_name == "times")
    if not isinstance(rows, list):
        return rows
    rows = rows if any(isinstance(row, list) for row in rows) else [rows]
    for row in rows:
        if isinstance(row, list):
            numbers_alone(row)
    return rows


def _lists(value: Any, beside: dict[str, Any], of_spikes: bool) -> Any:
    """Return lists of numbers in a unit; what else stands in a list is left to the field, which tells its place."""
    if isinstance(value, list | tuple | Iterator):
        rows: list[Any] = list(value)
        if not of_spikes and any(hasattr(row, "ndim") for row in rows[:1]):
            for row in rows[1:]:
                refuse_other_labels(rows[0], row, "rows of samples")
        return [_lists(row, beside, of_spikes) for row in rows]
    if value is None or isinstance(value, str | bytes | int | float | dict):
        return value
    if (cells := _rows_in_cells(value)) is not None:
        return _lists(cells, beside, of_spikes)
    along = "spike" if of_spikes and "spike" in getattr(value, "dims", ()) else "time"
    refuse_other_neurons(value, "rows", one_is_for_all=True)
    array = with_dims(value, ("neuron", along), "an array", alone=along)
    refuse_disorder(array, ("neuron",) if of_spikes else ("neuron", along), "an array")
    if "interval" in beside:
        refuse_other_times(array, "time", beside["interval"], "interval")
    return plain_array(array, beside.get("unit", "1"), "numbers").tolist()


def _rows_in_cells(value: Any) -> list[Any] | None:
    """Return the rows that an array of one dimension holds as its cells, as ``groupby`` of pandas makes them."""
    if getattr(value, "ndim", None) != 1 or getattr(getattr(value, "dtype", None), "kind", "") != "O":
        return None
    cells: list[Any] = np.asarray(value).tolist()
    has_unit = numbers_and_unit(value)[1] is not None  # which the rows would not have
    if has_unit or not cells or not all(is_row(cell) and getattr(cell, "ndim", 1) == 1 for cell in cells):
        return None
    refuse_other_neurons(value, "rows", one_is_for_all=True)
    refuse_disorder(with_dims(value, ("neuron",), "an array"), ("neuron",), "an array")
    return cells


Rows = Annotated[tuple[tuple[float, ...], ...], BeforeValidator(_rows)]
"""Numbers neuron by neuron, one row each; a flat list is one row, which all neurons share.

A Series of pandas, or an array of one dimension, whose cells are lists or arrays is the list of these.

What carries a unit is converted to the field ``unit`` of the declaration, which stands before it.
"""


class Pulses(Spec):
    """Rectangular pulses.

    Parameters
    ----------
    amplitude : quantity
        Height of each.
    width : float (ms)
        How long each lasts.
    period : float (ms), optional
        From the beginning of one to that of the next; without it there is one pulse.
    delay : float (ms)
        Before the first.
    """

    amplitude: Quantity
    width: Annotated[Milliseconds, Field(gt=0)]
    period: Annotated[Milliseconds, Field(gt=0)] | None = None
    delay: Annotated[Milliseconds, Field(ge=0)] = default("0 ms")

    @model_validator(mode="after")
    def _check(self) -> Pulses:
        if self.period is not None and self.width >= self.period:
            raise ValueError(
                f"expected a width below the period of {self.period:g} ms, found {self.width:g} ms; "
                "for a constant input use current"
            )
        return self


class Sine(Spec):
    """A sine: ``offset + amplitude * sin(2 pi frequency t + phase)``.

    Parameters
    ----------
    amplitude : quantity
        Half of what lies between its extremes.
    frequency : float (Hz)
        Cycles a second.
    phase : quantity
        An angle, such as ``"90 deg"``; a bare number is in radians.
    offset : quantity, optional
        Added to it.
    """

    amplitude: Quantity
    frequency: Annotated[Rate, Field(gt=0)]
    phase: Quantity = 0.0
    offset: Quantity | None = None

    @model_validator(mode="after")
    def _check(self) -> Sine:
        if isinstance(self.phase, str):
            raise reject(Problem("phase", f'expected an angle such as "90 deg", found {self.phase!r}'))
        return self


def _whole(file: str | None, info: ValidationInfo) -> str | None:
    """Return the whole path of a file, so that it is the same one wherever the declaration is written or used."""
    if file is None:
        return None
    return whole_path(file, info.context.path if isinstance(info.context, Folder) else Path())


class _Given(Spec):
    file: Annotated[str | None, AfterValidator(_whole)] = None
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$"), AfterValidator(str.lower)] | None = None

    def _problems_of_source(self, name: str, given: object) -> list[Problem]:
        problems = []
        if (self.file is None) == (given is None):
            found = "neither" if given is None else "both"
            problems.append(Problem("", f"expected either {name} or file, found {found}; give one of them"))
        if self.sha256 is not None and self.file is None:
            problems.append(Problem("sha256", "expected it beside a file alone; drop it"))
        return problems


class SpikeTrains(_Given):
    """Given spike trains.

    Parameters
    ----------
    times : list of numbers, or list of lists of numbers
        When spikes arrive, ascending: for all neurons alike, or one list a neuron, also as the cells of a Series
        (``table.groupby("neuron")["time"].apply(list)``).
    file : str
        In place of ``times``: ``.npz`` with arrays ``time`` and ``neuron`` (counted from 0 in the population), or
        ``.csv`` of two columns under the header ``time,neuron``. Its path is made whole when it is declared: it starts
        from the working folder, in a TOML file from the folder of that.
    unit : str
        Of the times; quantities of another package, such as brian2, are converted to it.
    weight : quantity
        Weight of each spike.
    sha256 : str, optional
        Digest of the file, which must then be unchanged; runs and trainings keep it.
    """

    unit: Annotated[str, AfterValidator(_time_unit)]
    times: Rows | None = None
    weight: Quantity

    @model_validator(mode="after")
    def _check(self) -> SpikeTrains:
        if problems := self._problems_of_source("times", self.times):
            raise reject(*problems)
        return self


class SampledWaveform(_Given):
    """A given waveform.

    Parameters
    ----------
    values : list of numbers, or list of lists of numbers
        One after the other: for all neurons alike, or one list a neuron. Where they have times of their own (in xarray
        and pandas), these agree with ``interval``.
    file : str
        In place of ``values``: ``.npy``, of shape (sample,) or (neuron, sample), or ``.csv`` with a row a neuron, or
        one column for all. Its path is made whole as that of spikes is.
    unit : str
        Of the values; quantities of another package, such as brian2, are converted to it.
    interval : float (ms)
        How long each value holds.
    repeat : bool
        Whether it begins again at its end; otherwise nothing follows.
    sha256 : str, optional
        Digest of the file, which must then be unchanged; runs and trainings keep it.
    """

    unit: Annotated[str, AfterValidator(_unit)]
    interval: Annotated[Milliseconds, Field(gt=0)]  # before the values, whose own times are held against it
    values: Rows | None = None
    repeat: bool = False

    @model_validator(mode="after")
    def _check(self) -> SampledWaveform:
        if problems := self._problems_of_source("values", self.values):
            raise reject(*problems)
        return self
