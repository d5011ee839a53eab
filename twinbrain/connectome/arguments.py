"""Make sure that what functions of connectomes are given is such."""

from __future__ import annotations

from numbers import Real

import numpy as np

from twinbrain.errors import ConnectomeError, SpecError
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.plain_numbers import whole


def check_connectome(value: object) -> None:
    """Refuse what is no connectome.

    Raises
    ------
    ConnectomeError
        If it is something else, such as its weights alone.
    """
    if not isinstance(value, Connectome):
        raise ConnectomeError(f"expected a connectome, found a {type(value).__name__}; make one with tb.Connectome")


def check_whole(name: str, value: int, least: int) -> None:
    """Refuse an argument that is no whole number, or too small.

    Raises
    ------
    ConnectomeError
        If it is.
    """
    try:
        whole(name, value, least)
    except SpecError as error:
        raise ConnectomeError(str(error)) from None


def check_number(name: str, value: float) -> None:
    """Refuse an argument that is no number.

    Raises
    ------
    ConnectomeError
        If it is something else.
    """
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, Real):
        raise ConnectomeError(f"expected {name} as a number, found {value!r}")
