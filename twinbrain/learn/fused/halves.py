"""Products of spikes with a matrix on a CUDA device, in half precision and as exact as in single precision.

A spike is 1 or 0, which half precision does not round. A number of single precision is, but for its last two bits, the
sum of two of half precision. So two products of halves, added up in single precision, stand for one in single
precision, on units that are some sixteen times as fast. Where PyTorch may round factors to TF32, as
`torch.set_float32_matmul_precision` says, one product does: half precision has as many digits.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Multiplications from which it pays to split the matrix.
_MANY = 1 << 30
_BLOCK = 1024


class Halves(NamedTuple):
    """A matrix as a sum of matrices in half precision.

    Parameters
    ----------
    parts : tuple of Tensor
        Their sum is the matrix times a power of two; the largest part first.
    unit : Tensor, shape ()
        One over this power.
    """

    parts: tuple[Tensor, ...]
    unit: Tensor


def pays(n_rows: int, matrix: Tensor) -> bool:
    """Return whether a product of so many rows of spikes with a matrix is quicker in halves."""
    return matrix.is_cuda and matrix.dtype == torch.float32 and n_rows * matrix.numel() >= _MANY


def product(spikes: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """Fill ``out`` with ``spikes @ matrix``, and return it.

    Parameters
    ----------
    spikes : Tensor, shape (row, source)
        1 or 0, in half precision.
    matrix : Tensor, shape (source, target)
        In single precision.
    out : Tensor, shape (row, target)
        In single precision.
    """
    halves = split(matrix)
    # The smaller part first, so that its digits are not lost beside the larger sum.
    for k, part in enumerate(reversed(halves.parts)):
        torch.addmm(out, spikes, part, out_dtype=torch.float32, beta=min(k, 1), out=out)
    return out.mul_(halves.unit)


def split(matrix: Tensor) -> Halves:
    """Return a matrix in two halves, or in one where PyTorch may round as much."""
    from twinbrain.learn.fused.triton_split import split as kernel

    if not (matrix.is_contiguous() or matrix.t().is_contiguous()):
        matrix = matrix.contiguous()
    two = torch.get_float32_matmul_precision() == "highest"
    largest = torch.linalg.vector_norm(matrix, float("inf"))
    parts = tuple(torch.empty_like(matrix, dtype=torch.float16) for _ in range(1 + two))
    unit = torch.empty_like(largest)
    with torch.cuda.device(matrix.device):
        kernel[(-(-matrix.numel() // _BLOCK),)](
            *(matrix, largest, parts[0], parts[-1], unit, matrix.numel()), TWO=two, BLOCK=_BLOCK
        )
    return Halves(parts, unit)
