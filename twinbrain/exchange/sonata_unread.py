"""What a SONATA circuit holds and nobody reads here: told by its name, or refused where it seems to be misspelt.

The format lets everyone add columns, attributes and sections, which programs ignore that do not know them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from twinbrain.errors import ExchangeWarning, shortened
from twinbrain.exchange.files import failure
from twinbrain.spec.suggest import listed, nearest

# What the format has for cells with a shape, for other programs and for reports: it changes nothing of point neurons.
_HARMLESS = re.compile(
    r"x|y|z|rotation_angle_[xyz]axis|morphology|recenter|model_processing|edge_id|indices|@library"
    r"|(afferent|efferent)_(section_(id|pos)|(center|surface)_([xyz]|position))"
    r"|target_simulator|version|metadata|node_sets(_file)?|output|reports"
)
_ALIKE = 0.85


@dataclass
class Unread:
    """Names that stand in a circuit and are not read, by their places.

    Parameters
    ----------
    names : dict of str to dict of str to None
        For each file and what in it, such as ``"edge_types.csv: columns"``, the names in their order.
    """

    names: dict[str, dict[str, None]] = field(default_factory=dict)

    def note(self, path: Path, what: str, found: Iterable[str], known: Iterable[str]) -> None:
        """Keep those of the names that are not known.

        Raises
        ------
        ExchangeError
            If one is written so much like a known one that it is meant to be that.
        """
        known = tuple(known)
        for name in found:
            if name in known or _HARMLESS.fullmatch(name):
                continue
            if near := nearest(name, known, cutoff=_ALIKE):
                raise failure(path, f"{what}: unknown name {name!r}; did you mean {near[0]!r}? rename it")
            self.names.setdefault(f"{path.name}: {what}", {})[name] = None

    def warn(self, where: Path) -> None:
        """Warn of all that was not read, once, where the reader was called."""
        if self.names:
            parts = "; ".join(f"{place}: {listed(list(names))}" for place, names in self.names.items())
            text = shortened(f"{where}: read without what is not known here ({parts})")
            warnings.warn(text, ExchangeWarning, stacklevel=3)
