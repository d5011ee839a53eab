"""Splits numbers of single precision into two of half precision; imported where there is Triton."""

# Compiled functions have no type hints: Triton infers their types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl

from twinbrain.engines.torch import triton_compiler as triton_compiler


@triton.jit
def split(matrix, largest, high, low, unit, n, TWO: tl.constexpr, BLOCK: tl.constexpr):
    """Write a matrix times a power of two, rounded to half precision, and if asked what the rounding has left.

    The largest number becomes one from 2**14 to 2**15; ``unit`` is one over the power, or if it is no number neither is
    any other that comes of it.
    """
    # A float32 has the power of two of its first digit, plus 127, from bit 23 on.
    found = tl.load(largest).to(tl.int32, bitcast=True) >> 23
    power = tl.minimum(tl.maximum(268 - found, 1), 253)
    scale = (power << 23).to(tl.float32, bitcast=True)
    if tl.program_id(0) == 0:
        tl.store(unit, tl.where(found == 255, float("nan"), ((254 - power) << 23).to(tl.float32, bitcast=True)))
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    here = i < n
    x = tl.load(matrix + i, mask=here, other=0.0) * scale
    rounded = x.to(tl.float16)
    tl.store(high + i, rounded, mask=here)
    if TWO:
        tl.store(low + i, (x - rounded.to(tl.float32)).to(tl.float16), mask=here)
