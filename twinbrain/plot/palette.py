"""Colours: one for each family, or for each kind of population, the same in every panel.

They can be told apart with any common colour blindness, see Okabe & Ito 2008, https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.analysis.grouping import By, group_by

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

INK = "#222222"
"""Text and axes."""
FAINT = "#9a9a9a"
"""What stays in the background."""
PLAIN = "#0072b2"
"""What stands for no group."""
STIMULUS = "#e3e3e3"
"""The time of a stimulus."""
RATE_MAP = "cividis"
"""Colour map of firing rates: even in lightness, and the same with and without red-green blindness."""
DIFFERENCE_MAP = "RdBu_r"
"""Colour map of what may be more or less than nothing, white at nothing."""
WEIGHT_MAP = "Blues"
"""Colour map of connection weights, white where there is none."""

_CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b4a9c", "#8c6d31")
# Families that ship keep their colour in every run.
_FAMILIES = dict(zip(("cortex", "thalamus", "hippocampus", "basal_ganglia", "amygdala"), _CYCLE, strict=False))


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name, the same for the same names."""
    names = list(names)
    taken = {name: _FAMILIES[name] for name in names if name in _FAMILIES}
    free = [colour for colour in _CYCLE if colour not in taken.values()]
    others = [name for name in names if name not in taken]
    for i, name in enumerate(others):
        # Where they run out they come again, lighter each time.
        taken[name] = mix(free[i % len(free)], "#ffffff", 0.4 * (i // len(free)) / (1 + i // len(free)))
    return {name: taken[name] for name in names}


def mix(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another one."""
    from matplotlib.colors import to_hex, to_rgb

    return to_hex([(1 - share) * a + share * b for a, b in zip(to_rgb(colour), to_rgb(other), strict=True)])  # type: ignore[arg-type]


def shade(colour: str, transmitter: str) -> str:
    """Return the shade for populations that release a transmitter: darker for ``"gaba"``."""
    return mix(colour, "#000000", 0.45) if transmitter == "gaba" else colour


def root_scale(top: float) -> Normalize:
    """Return a scale from 0 to the largest value, by its root: a few large values leave the others their contrast."""
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, 0.0, top or 1.0)


@dataclass(frozen=True)
class Key:
    """What the colours of a run's figures stand for.

    Parameters
    ----------
    by : str
        ``"family"``, or ``"kind"`` where there is one family.
    names : list of str
        Groups, in order.
    colour : dict of str to str
        Colour of each group.
    of_population : numpy.ndarray of str, shape (population,)
        Group of each population.
    """

    by: By
    names: list[str]
    colour: dict[str, str]
    of_population: NDArray[np.str_]

    def label(self, name: str) -> str:
        """Return the text that stands for a group: ``"basal ganglia"``, and ``"pyr"`` for ``"cortex/pyr"``."""
        return (name if self.by == "family" else name.split("/", 1)[1]).replace("_", " ")


def colour_key(tree: xr.DataTree) -> Key:
    """Return what the colours of a run's figures stand for."""
    by: By = "family" if len(set(analysis.populations(tree)["family"].values.tolist())) > 1 else "kind"
    grouping = group_by(tree, by)
    names = np.asarray(grouping.coords[by][1])
    return Key(by, names.tolist(), colours(names.tolist()), names[grouping.index])
