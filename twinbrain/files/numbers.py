"""Numbers in text: of the digits 0 to 9, without the underscores and the digits of other scripts that Python takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def number(text: str) -> float:
    """Return the number that a text is.

    Raises
    ------
    ValueError
        If it is none.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"expected a number, found {text!r}")
    return float(text)


def numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return the numbers that texts are.

    Raises
    ------
    ValueError
        If one of them is none.
    """
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():
        wrong = next(cell for cell in cells if "_" in cell or not cell.isascii())
        raise ValueError(f"could not convert to a number: {wrong!r}")
    return np.array(cells, np.float64)
