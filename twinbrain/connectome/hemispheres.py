"""Which hemisphere a region lies in, as far as its label says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_SIDES = {"left": "right", "right": "left", "lh": "rh", "rh": "lh", "l": "r", "r": "l"}
_SEPARATORS = "-_. "


def hemispheres_from_labels(labels: Sequence[str]) -> list[str] | None:
    """Return the hemisphere that each label names, or None where no label names one.

    A letter alone proves little ("lingual", "rim"), so a label counts only where its mirror image is a label too:
    "rV1" is right if there is an "lV1", "V1_L" is left if there is a "V1_R". Centroids are not asked, since files
    disagree about their axes.

    Parameters
    ----------
    labels : sequence of str, shape (region,)

    Returns
    -------
    list of {"left", "right", ""}, shape (region,), or None
    """
    known = set(labels)
    sides = [next((side for side, mirror in _readings(label) if mirror in known), "") for label in labels]
    return sides if any(sides) else None


def _readings(label: str) -> Iterator[tuple[str, str]]:
    """Yield each side that the label may name, with the label of its mirror image."""
    for side, other in _SIDES.items():
        hemisphere = "left" if side.startswith("l") else "right"
        n = len(side)
        head, after, before, tail = label[:n], label[n:], label[:-n], label[-n:]
        if head.lower() == side and after and (after[0] in _SEPARATORS or after[0].isupper() or after[0].isdigit()):
            yield hemisphere, _in_case_of(head, other) + after
        if tail.lower() == side and before and before[-1] in _SEPARATORS:
            yield hemisphere, before + _in_case_of(tail, other)


def _in_case_of(example: str, word: str) -> str:
    return word.upper() if example.isupper() else word.title() if example.istitle() else word
