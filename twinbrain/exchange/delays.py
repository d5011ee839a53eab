"""Delays of a file, counted in steps: the least is one, and whoever reads shorter ones is told."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ExchangeWarning
from twinbrain.exchange.files import LATEST
from twinbrain.network.random import Floats


@dataclass
class Delays:
    """Counts delays in steps, and remembers those that became longer.

    Parameters
    ----------
    dt : float (ms)
        The time step.
    n_short : int
        How many delays were rounded to no step.
    shortest : float (ms)
        The shortest of them.
    """

    dt: float
    n_short: int = 0
    shortest: float = np.inf

    def steps(self, delay: Floats, further: int = 0, *, even_none: bool = True) -> NDArray[np.int64]:
        """Return delays in whole steps, one at least.

        Parameters
        ----------
        delay : ndarray of float64 (ms)
        further : int
            Steps of them that pass anyway.
        even_none : bool
            Whether a delay of 0 is one that was given, and would become longer.
        """
        steps = np.floor(np.minimum(delay / self.dt, LATEST) + 0.5).astype(np.int64)
        short = (steps < 1) & (even_none | (delay > 0))
        if short.any():
            self.n_short += int(short.sum())
            self.shortest = min(self.shortest, float(delay[short].min()))
        return np.maximum(steps - further, 1)

    def warn(self, where: Path, stacklevel: int = 2) -> None:
        """Warn of the delays that became longer, once, where the reader was called."""
        if self.n_short:
            warnings.warn(
                f"{where}: {self.n_short:,} delays, the shortest of {self.shortest:g} ms, became one step of "
                f"{self.dt:g} ms, the least that a network has; give a smaller dt where that matters",
                ExchangeWarning,
                stacklevel=stacklevel + 1,
            )
