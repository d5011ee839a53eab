"""Write the step of a block as one Triton kernel: inbox, integration, threshold, reset and the list of who spiked."""

from __future__ import annotations

from twinbrain.engines.torch.render import check_functions, in_units
from twinbrain.models.algebra import on_arrays
from twinbrain.models.step import REFRACTORY_LEFT
from twinbrain.network.network import Block

_HEAD = '''"""The step of {name}; written by twinbrain."""

import triton
import triton.language as tl

from twinbrain.engines.torch.triton_functions import (
    bounded, exponential, indicator, logarithm, power, reciprocal, relative_exponential, select, sqrt, tan
)
from triton.language import abs, cos, sin


@triton.jit
def step(_clock, _ring, _width, _n_slots, _spikes, _neurons, _n_block, _n, _n_neurons, _n_inlets, {pointers},
         _F: tl.constexpr, _BLOCK: tl.constexpr):
    _i = tl.program_id(0).to(tl.int64) * _BLOCK + tl.arange(0, _BLOCK)
    _here = _i < _n
    _network = _i // _n_block
    _place = _i % _n_block
    _inbox = _ring + (tl.load(_clock) % _n_slots) * _width + _network * _n_inlets + _place
'''
_TAIL = """    _number = _network * _n_neurons + tl.load(_neurons + _place, mask=_here, other=0)
    _at = tl.atomic_add(_clock + 2 + tl.zeros([_BLOCK], tl.int32), tl.full([_BLOCK], 1, tl.int64), mask=_spiked)
    tl.store(_spikes + _at, _number.to(tl.int32), mask=_spiked)
"""


def block_source(block: Block) -> str:
    """Return the source of a module whose ``step`` computes a block.

    Its pointers are, in this order, those of the state variables and of the constants.
    """
    program = block.program
    receptors = tuple(inlet.receptor for inlet in block.inlets)
    for text in (program.threshold, *(s.expression for s in (*program.integrate, *program.reset))):
        check_functions(text)
    lines = []
    for inlet in block.inlets:
        arrived = f"_arrived_{inlet.receptor}"
        lines += [
            f"{arrived} = tl.load(_inbox + {inlet.start}, mask=_here, other=0).to(_F) * {inlet.quantum!r}",
            f"tl.store(_inbox + {inlet.start}, tl.zeros([_BLOCK], tl.int32), mask=_here)",
        ]
    for name in (*program.state, *program.constants):
        lines.append(f"{name} = tl.load(_{name} + _i, mask=_here, other=0.0)")
    lines += [f"{s.target} = {on_arrays(in_units(s.expression, receptors))}" for s in program.integrate]
    lines.append(f"_spiked = _here & ({on_arrays(program.threshold)})")
    if REFRACTORY_LEFT in program.state:
        lines.append(f"_spiked = _spiked & ({REFRACTORY_LEFT} <= 0.0)")
    for s in program.reset:
        value = on_arrays(s.expression)
        kept = f"tl.where(_spiked, {value}, {s.target})" if s.target in program.state else value
        lines.append(f"{s.target} = {kept}")
    lines += [f"tl.store(_{name} + _i, {name}, mask=_here)" for name in program.state]
    pointers = ", ".join(f"_{name}" for name in (*program.state, *program.constants))
    body = "".join(f"    {line}\n" for line in lines).replace("indicator(", "indicator(_F, ")
    return _HEAD.format(name=block.name, pointers=pointers) + body + _TAIL
