"""Which names a declaration may give: identifiers that mean nothing else in any language that a model is written in.

A name goes into generated Python, Cython and Triton. There it must be a name like any other.
"""

from __future__ import annotations

import keyword
import re

from twinbrain.errors import SpecError
from twinbrain.language.tree import FUNCTIONS

LONGEST = 64
"""Characters of a name."""

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*_?", re.ASCII)
# Functions and values of equations, of steps, and of what is generated from them.
_COMPUTING = """
    exponential relative_exponential reciprocal select indicator bounded logarithm power upstroke relative_slope
    expm1 log1p arcsin arccos arctan floor ceil sign timestep rand randn poisson binomial int_
    e pi inf nan t dt t_in_timesteps time_step i j N tl triton
    bool complex float len max min print range round
    not_refractory lastspike refractory_left refractory_steps has_spiked
"""
_SERIES = re.compile(r"k\d+|fixed_\d+|(?:inbox|quantum|grad|xi)_\w+|xi", re.ASCII)
_RESERVED = frozenset({*keyword.kwlist, *FUNCTIONS, *_COMPUTING.split()})


def is_identifier(name: str) -> bool:
    """Return whether a name is of ASCII letters, digits and single underscores, begins with a letter, and is short."""
    return len(name) <= LONGEST and _FORM.fullmatch(name) is not None


def check_identifier(name: str, what: str = "a name") -> None:
    """Check the form of a name.

    Raises
    ------
    SpecError
        If it is no identifier.
    """
    if not is_identifier(name):
        shown = ascii(name if len(name) <= LONGEST else name[:LONGEST] + "…")
        raise SpecError(
            f"expected {what} of ASCII letters, digits and single underscores that begins with a letter and has at "
            f"most {LONGEST} characters, found {shown}; rename it"
        )


def check_own_name(name: str, what: str = "a name") -> None:
    """Check a name that a declaration gives to something that is computed.

    Raises
    ------
    SpecError
        If it is no identifier, or means something already.
    """
    check_identifier(name, what)
    if name in _RESERVED or _SERIES.fullmatch(name):
        raise SpecError(f"expected {what} that the step does not use itself, found {name!r}; rename it")
