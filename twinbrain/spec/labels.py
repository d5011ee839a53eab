"""Which names a pattern means: one rule wherever labels, populations or projections are chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from functools import cache
from glob import escape
from typing import NamedTuple


def matching(pattern: str, names: Iterable[str], labels: Iterable[str] = ()) -> list[str]:
    """Return the names that a pattern means, each once and in their order.

    Parameters
    ----------
    pattern : str
        A name, or a shell pattern such as ``"l*"``; case matters. What is a name as it stands means that name alone,
        so names may have brackets, stars and question marks.
    names : iterable of str
        All names there are.
    labels : iterable of str, optional
        Labels of regions that stand in front of populations in the names (``"V1/pv"``, ``"V1.pyr->V4.pyr:ampa"``). What
        stands so in the pattern is itself a label, or a pattern of labels, and is held against the label of a name
        alone; what follows it, against what follows that.

    Examples
    --------
    >>> matching("Amyg[R]", ["Amyg[L]", "Amyg[R]", "AmygR"])
    ['Amyg[R]']
    >>> matching("Amyg*", ["Amyg[L]", "Amyg[R]", "MT"])
    ['Amyg[L]', 'Amyg[R]']
    >>> matching("Amyg[R]/p*", ["Amyg[R]/pyr", "Amyg[R]/sst", "AmygR/pyr"], ["Amyg[R]", "AmygR"])
    ['Amyg[R]/pyr']
    >>> matching("V1/*", ["V1/pyr", "V1/exo/pyr"], ["V1", "V1/exo"])
    ['V1/pyr']
    >>> matching("V?/*", ["V1/pyr", "V1/exo/pyr", "V4/pyr"], ["V1", "V1/exo", "V4"])
    ['V1/pyr', 'V4/pyr']
    """
    known = dict.fromkeys(names)
    if pattern in known:
        return [pattern]
    known_labels = dict.fromkeys(labels)
    ends = [_Part.of(end, lambda front: matching(front, known_labels)) for end in pattern.rsplit("->", 1)]
    if not any(end.labels for end in ends):
        return [name for name in known if fnmatchcase(name, pattern)]

    @cache  # an end has a few names, projections of a brain are many
    def cut(end: str) -> _Part:
        return _Part.of(end, lambda front: [front] if front in known_labels else [])

    def fits(name: str) -> bool:
        # A star in front may stand for a whole source and the arrow, so that no label there is that of the source.
        if len(ends) == 1 and "->" in name and "*" in ends[0].front and ends[0].front not in known_labels:
            return fnmatchcase(name, pattern)
        own = name.rsplit("->", 1) if len(ends) == 2 else [name]
        return len(own) == len(ends) and all(end.means(cut(part)) for end, part in zip(ends, own, strict=True))

    return [name for name in known if fits(name)]


class _Part(NamedTuple):
    """An end of a projection, or a population alone, of a name or a pattern."""

    front: str
    """What stands in front of the population; ``""`` if that is no label."""
    labels: Collection[str]
    """Which labels it means."""
    rest: str

    @classmethod
    def of(cls, text: str, meant: Callable[[str], Collection[str]]) -> _Part:
        """Return a part, cut at the last dot or slash that labels stand in front of."""
        for i in reversed(range(len(text))):
            if text[i] in "./" and (labels := meant(text[:i])):
                return cls(text[:i], labels, text[i:])
        return cls("", (), text)

    def means(self, name: _Part) -> bool:
        """Return whether it means that part of a name: label against label, and rest against rest."""
        if not self.labels:
            return fnmatchcase(name.front + name.rest, self.rest)
        return name.front in self.labels and fnmatchcase(name.rest, self.rest)


def first_patterns(patterns: Iterable[str], names: Iterable[str], labels: Iterable[str] = ()) -> dict[str, str]:
    """Return for each name the first pattern that means it (see `matching`); names that none means are left out."""
    names, labels = list(names), list(labels)
    first: dict[str, str] = {}
    for pattern in patterns:
        for name in matching(pattern, names, labels):
            first.setdefault(name, pattern)
    return first


def label_meant(pattern: str) -> str:
    """Return the label that a pattern with escaped brackets, stars or question marks means alone; others as they are.

    Examples
    --------
    >>> label_meant("M[[]1]"), label_meant("M[12]")
    ('M[1]', 'M[12]')
    """
    label = re.sub(r"\[([*?[])\]", r"\1", pattern)
    return label if escape(label) == pattern else pattern
