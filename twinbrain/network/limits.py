"""Constants where their formula cancels: two time constants that are equal, or nearly so.

The exact solution of a membrane with a synaptic current holds terms such as (exp(-h/a) - exp(-h/b))/(a - b). They have
a limit at a = b, yet floats give 0/0 there and lose digits nearby. Such values, and only they, are computed again with
many digits, the time constants moved apart by less than a float can tell.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

import numpy as np

from twinbrain.network.random import Floats

# A value has lost digits if it moves by more than the second share when its time constants move by the first. Where
# they are a few ulps apart, the numerator may vanish altogether, and stays so for a move as small as that.
_PROBES = ((2.0**-50, 1e-11), (2.0**-30, 1e-6))
_DIGITS = 60
_APART = "1e-18"


def with_limits(code: CodeType, namespace: dict[str, Any], functions: dict[str, Any], times: list[str]) -> Floats:
    """Return the values of a constant, right to about 11 digits where floats can hold them.

    Parameters
    ----------
    code : code
        The compiled expression.
    namespace : dict of str to float or ndarray of float64
        Values of the names in it.
    functions : dict of str to callable
        Functions of numpy in it.
    times : list of str
        Names in it that are time constants.

    Returns
    -------
    ndarray of float64
        Not finite where there is no limit.
    """
    scope = {"__builtins__": {}, **functions}
    with np.errstate(all="ignore"):
        values = np.asarray(eval(code, scope, namespace), dtype=np.float64)
        if not times:
            return values
        steady = np.isfinite(values)
        for move, most in _PROBES:
            moved = namespace | {name: namespace[name] * (1 + (i + 1) * move) for i, name in enumerate(times)}
            nearby = np.asarray(eval(code, scope, moved), dtype=np.float64)
            steady = steady & (np.abs(nearby - values) <= most * np.abs(values))
    if steady.all():
        return values
    names = [name for name in code.co_names if name in namespace]
    columns = np.broadcast_arrays(~steady, values, *(namespace[name] for name in names))
    found = columns[1].copy()
    where = columns[0].nonzero()
    rows, back = np.unique(np.array([column[where] for column in columns[2:]]), axis=1, return_inverse=True)
    limits = np.array([_limit(code, dict(zip(names, row, strict=True)), times) for row in rows.T.tolist()])[back]
    # A formula that cannot be computed with many digits keeps the value that floats give it.
    found[where] = np.where(np.isnan(limits), found[where], limits)
    return found


def _limit(code: CodeType, values: dict[str, float], times: list[str]) -> float:
    import mpmath  # type: ignore[import-untyped,unused-ignore]

    with mpmath.workdps(_DIGITS):
        exact = {name: mpmath.mpf(value) for name, value in values.items()}
        for i, name in enumerate(times):
            exact[name] *= 1 + (i + 1) * mpmath.mpf(_APART)
        functions = {name: getattr(mpmath, name) for name in ("exp", "expm1", "log", "sqrt", "e")}
        try:
            return float(eval(code, {"__builtins__": {}, **functions}, exact))
        except (ZeroDivisionError, NameError, TypeError, OverflowError):
            return float("nan")
