"""What loops over adjoint steps use besides the functions of programs, and how numba compiles them."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numba
from numba.core.compiler import Compiler

from twinbrain.engines.brian2.scalar import exponential


@numba.njit(cache=True, error_model="numpy")
def relative_slope(x, y):
    """Return the derivative of ``y = relative_exponential(x)``."""
    if x > -0.01 and x < 0.01:
        return 0.5 + x / 3.0 + x * x / 8.0 + x * x * x / 30.0
    return (exponential(x) - y) / x


class Disjoint(Compiler):
    """Compiles a function none of whose arrays overlap, which lets its loops be vectorised.

    By itself numba says so only of loops that it makes parallel.
    """

    def define_pipelines(self):
        """Return the passes."""
        self.state.flags.noalias = True
        return super().define_pipelines()
