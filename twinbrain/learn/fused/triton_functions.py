"""What adjoint steps use besides the functions of programs, as Triton sees it; imported where there is Triton."""

# Compiled functions have no type hints: Triton infers their types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl

from twinbrain.engines.torch.triton_functions import exponential


@triton.jit
def relative_slope(x, y):
    """Return the derivative of ``y = relative_exponential(x)``."""
    near = (x > -0.01) & (x < 0.01)
    series = 0.5 + x / 3.0 + x * x / 8.0 + x * x * x / 30.0
    return tl.where(near, series, (exponential(x) - y) / tl.where(near, 1.0, x))
