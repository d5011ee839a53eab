"""Which names a pattern means: one rule wherever labels, populations or projections are chosen."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from glob import escape


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
        Labels of regions that stand in front of populations in the names (``"V1/pv"``, ``"V1.pyr->V4.pyr:ampa"``). One
        that stands so in the pattern means that region alone, whatever follows it; in both it is the longest that fits.

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
    """
    known = dict.fromkeys(names)
    if pattern in known:
        return [pattern]
    known_labels = set(labels)
    ends = _ends(pattern, known_labels)
    literal = "->".join(escape(label) + rest for label, rest in ends)
    fitting = [name for name in known if fnmatchcase(name, literal)]
    if not any(label for label, _ in ends):
        return fitting
    # A star fits dots and slashes too, and so would reach from a label into longer ones.
    return [
        name
        for name in fitting
        if all(label in ("", there) for (label, _), (there, _) in zip(ends, _ends(name, known_labels), strict=False))
    ]


def _ends(name: str, labels: Collection[str]) -> list[tuple[str, str]]:
    """Return the label in front of each end of a projection, or of a population alone, and what follows it."""
    ends = []
    for end in name.rsplit("->", 1):
        cuts = (i for i in reversed(range(len(end))) if end[i] in "./" and end[:i] in labels)
        label = end[: next(cuts, 0)]
        ends.append((label, end[len(label) :]))
    return ends


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
