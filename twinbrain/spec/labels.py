"""Which names a pattern means: one rule wherever labels, populations or projections are chosen."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a pattern means, each once and in their order.

    Parameters
    ----------
    pattern : str
        A name, or a shell pattern such as ``"l*"``; case matters. What is a name as it stands means that name alone,
        so names may have brackets, stars and question marks.
    names : iterable of str
        All names there are.

    Examples
    --------
    >>> matching("Amyg[R]", ["Amyg[L]", "Amyg[R]", "AmygR"])
    ['Amyg[R]']
    >>> matching("Amyg*", ["Amyg[L]", "Amyg[R]", "MT"])
    ['Amyg[L]', 'Amyg[R]']
    """
    known = dict.fromkeys(names)
    return [pattern] if pattern in known else [name for name in known if fnmatchcase(name, pattern)]


def first_patterns(patterns: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Return for each name the first pattern that means it; names that none means are left out."""
    names = list(names)
    first: dict[str, str] = {}
    for pattern in patterns:
        for name in matching(pattern, names):
            first.setdefault(name, pattern)
    return first
