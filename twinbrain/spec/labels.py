"""Which names a pattern means: one rule wherever labels, populations or projections are chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
        Labels of regions that stand in the names (``"V1/pv"``, ``"V1.pyr->V4.pyr:ampa"``). One that stands so in the
        pattern means that region alone, whatever follows it.

    Examples
    --------
    >>> matching("Amyg[R]", ["Amyg[L]", "Amyg[R]", "AmygR"])
    ['Amyg[R]']
    >>> matching("Amyg*", ["Amyg[L]", "Amyg[R]", "MT"])
    ['Amyg[L]', 'Amyg[R]']
    >>> matching("Amyg[R]/p*", ["Amyg[R]/pyr", "Amyg[R]/sst", "AmygR/pyr"], ["Amyg[R]", "AmygR"])
    ['Amyg[R]/pyr']
    """
    known = dict.fromkeys(names)
    if pattern in known:
        return [pattern]
    literal = _with_literal(pattern, labels)
    return [name for name in known if fnmatchcase(name, literal)]


def _with_literal(pattern: str, labels: Iterable[str]) -> str:
    """Return a pattern in which labels that stand in it are no patterns themselves."""
    special = sorted((label for label in labels if escape(label) != label), key=len, reverse=True)
    if not special:
        return pattern
    # A label begins a name or the second end of a projection, and a population follows it.
    found = re.compile(rf"(?:^|(?<=->))(?:{'|'.join(map(re.escape, special))})(?=[./])")
    return found.sub(lambda label: escape(label[0]), pattern)


def first_patterns(patterns: Iterable[str], names: Iterable[str], labels: Iterable[str] = ()) -> dict[str, str]:
    """Return for each name the first pattern that means it (see `matching`); names that none means are left out."""
    names, labels = list(names), list(labels)
    first: dict[str, str] = {}
    for pattern in patterns:
        for name in matching(pattern, names, labels):
            first.setdefault(name, pattern)
    return first
