"""What codes and disturbances are given: real numbers in arrays of a shape, and options within their bounds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError, SpecError
from twinbrain.learn.tasks.check import REAL
from twinbrain.spec.labelled import refuse_disorder, with_dims
from twinbrain.spec.plain_array import plain_array
from twinbrain.spec.plain_numbers import whole


def real_array(where: str, values: Any, *shapes: tuple[str, ...], what: str = "an array") -> NDArray[np.floating[Any]]:
    """Return values as an array of one of some shapes; whose dimensions have other names may be in another order.

    They keep the precision in which they are given, so that small changes of large numbers stay what they are, and what
    was rounded is held against thresholds that are rounded alike.

    Parameters
    ----------
    where : str
        Begins the message.
    values : array_like
    *shapes : tuple of str
        Names of dimensions.
    what : str
        What they are, for the message.

    Raises
    ------
    LearnError
        If they are others, or no real numbers.
    """
    dims = next((dims for dims in shapes if len(dims) == np.ndim(values)), None)
    if dims is None:
        wanted = " or ".join(f"({', '.join(dims)})" for dims in shapes)
        raise LearnError(f"{where}: expected {what} of shape {wanted}, found one of {np.ndim(values)} dimensions")
    try:
        named = with_dims(values, dims, what)
        refuse_disorder(named, [dim for dim in dims if dim != "trial"], what)  # of trials any order will do
        array = plain_array(named, what="numbers")
    except SpecError as error:
        raise LearnError(f"{where}: {error}") from None
    if array.dtype.kind not in REAL:
        raise LearnError(f"{where}: expected {what} of real numbers, found {array.dtype}; give numbers")
    precision = np.float32 if array.dtype in (np.float16, np.float32) else np.float64
    return np.require(array, precision, requirements="W")  # torch warns of what is read-only


def whole_number(where: str, name: str, value: int, least: int = 1, below: int | None = None) -> int:
    """Return an option that is a whole number.

    Parameters
    ----------
    where, name : str
        Begin the message.
    value : int
        The option.
    least : int
        Smallest number that is taken.
    below : int, optional
        What it has to stay below.

    Raises
    ------
    LearnError
        If it is another.
    """
    try:
        found = whole(name, value, least)
    except SpecError as error:
        raise LearnError(f"{where}: {error}") from None
    if below is not None and found >= below:
        raise LearnError(f"{where}: {name}: expected a whole number below {below}, found {found}; give a smaller")
    return found


def number(
    where: str,
    name: str,
    value: float,
    wanted: str = "that is finite",
    fits: Callable[[float], bool] = lambda value: True,
    remedy: str = "change it",
) -> float:
    """Return an option that is a finite number.

    Parameters
    ----------
    where, name : str
        Begin the message.
    value : float
        The option.
    wanted : str
        Which numbers are taken, in words.
    fits : callable
        Whether a number is one of them.
    remedy : str
        What to do.

    Raises
    ------
    LearnError
        If it is another.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.timedelta64)
    if not is_number or not abs(value) <= sys.float_info.max or not fits(value):
        raise LearnError(f"{where}: {name}: expected a number {wanted}, found {value!r}; {remedy}")
    return float(value)
