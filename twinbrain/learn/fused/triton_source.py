"""Write the steps of a block and their adjoint as Triton kernels.

The loop over time is in the kernel, a neuron's state in registers.
"""

from __future__ import annotations

from twinbrain.learn.fused.adjoint import SCALE, SPIKE_GRADIENT, differentiate, expression_of, gradient_of
from twinbrain.learn.fused.operations import read_operations
from twinbrain.learn.fused.surrogates import find_surrogate
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

_HEAD = '''"""Steps and their adjoint, written out by twinbrain."""

import triton
import triton.language as tl

from twinbrain.engines.torch.triton_functions import (
    bounded, exponential, indicator, logarithm, power, reciprocal, relative_exponential, select, sqrt, tan
)
from twinbrain.learn.fused.triton_functions import relative_slope
from triton.language import abs, cos, sin

'''

# Places: _i of (trial, neuron), _p of the neuron, _j of the first receptor or observed variable of (trial, neuron).
_WHERE = """    _program = tl.program_id(0).to(tl.int64)
    _size = (_program*0 + _n_trials)*_n
    _i = _program*_BLOCK + tl.arange(0, _BLOCK)
    _here = _i < _size
    _p = _i % _n
    _b = _i//_n
"""

_FORWARD = """
@triton.jit(do_not_specialize=["_start", "_stop", "_every", "_n_trials"])
def forward(
    _every, _start, _stop, _n_trials, _n, _state, _constants, _arrived, _spikes, _seen, _kept, _BLOCK: tl.constexpr
):
{where}
{load}
    for _t in range(_start, _stop):
        _step = _t*_size
        if _t % _every == 0:
            _at = _kept + (_t//_every)*_size*{n_state} + _i
{keep}
{body}
{store}
"""

_BACKWARD = """
@triton.jit(do_not_specialize=["_start", "_stop", "_every", "_n_steps", "_n_trials", "_n_places"])
def backward(
    _every, _start, _stop, _n_steps, _n_trials, _n, _kept, _past, _constants, _arrived,
    _grad_state, _grad_spikes, _feedback, _n_places, _grad_seen, _grad_arrived, _grad_constants,
    _slope: tl.constexpr, _each_step: tl.constexpr, _fed_back: tl.constexpr, _BLOCK: tl.constexpr,
):
{where}
{load}
    _last = (_stop - 1)//_every
    for _back in range(0, _last - _start//_every + 1):
        _first = (_last - _back)*_every
        _next = tl.minimum(_first + _every, _n_steps)
        if _next <= _stop:
            _at = _kept + (_last - _back)*_size*{n_state} + _i
{first}
            for _k in range(0, _next - _first - 1):
                _step = (_first + _k)*_size
                _at = _past + (_k + 1)*_size*{n_state} + _i
{again}
            tl.debug_barrier()
        _stop_here = tl.minimum(_next, _stop)
        for _k in range(0, _stop_here - tl.maximum(_first, _start)):
            _t = _stop_here - 1 - _k
            _step = _t*_size
            _at = _past + (_t - _first)*_size*{n_state} + _i
{body}
{store}
"""


def triton_source(program: StepProgram, surrogate: str, constants: tuple[str, ...], observe: tuple[str, ...]) -> str:
    """Return the source of a module with ``forward`` and ``backward``.

    Arguments are those of `twinbrain.learn.fused.numba_source.numba_source`.
    """
    step = read_operations(program)
    carried = [name for name in program.state if name != REFRACTORY_LEFT]
    arrived = [f"_arrived_{receptor}" for receptor in program.jumps]
    adjoint = differentiate(step, (*carried, *arrived, *constants), find_surrogate(surrogate))
    order = {name: k for k, name in enumerate(program.state)}
    compute = [f"{operation.target} = {expression_of(operation)}" for operation in step.operations]
    gradients = {gradient_of(name): text for name, text in adjoint.gradients.items()}

    def row(tensor: str, k: int, n: int) -> str:
        return f"{tensor} + _step*{n} + (_b*{n} + {k})*_n + _p"

    def load(target: str, place: str) -> str:
        return f"{target} = tl.load({place}, mask=_here, other=0.0)"

    def store(place: str, value: str) -> str:
        return f"tl.store({place}, {value}, mask=_here)"

    load_constants = [load(name, f"_constants + {k}*_n + _p") for k, name in enumerate(program.constants)]
    take = [load(name, row("_arrived", k, len(arrived))) for k, name in enumerate(arrived)]
    # The values after a step take the names of those before it at once: one may be another's.
    follow = [
        *(f"_next_{name} = {value}" for name, value in step.state.items()),
        *(f"{name} = _next_{name}" for name in program.state),
    ]
    forward = _FORWARD.format(
        where=_WHERE,
        n_state=len(order),
        load=_lines(1, [load(name, f"_state + {k}*_size + _i") for name, k in order.items()], load_constants),
        keep=_lines(3, [store(f"_at + {k}*_size", name) for name, k in order.items()]),
        body=_lines(
            2,
            *(take, compute),
            [store("_spikes + _step + _i", f"tl.where({step.spiked}, 1.0, 0.0)")],
            [store(row("_seen", k, len(observe)), step.state[name]) for k, name in enumerate(observe)],
            follow,
        ),
        store=_lines(1, [store(f"_state + {k}*_size + _i", name) for name, k in order.items()]),
    )
    carry = [gradient_of(name) for name in carried]
    add = [gradient_of(name) for name in constants]
    backward = _BACKWARD.format(
        where=_WHERE,
        n_state=len(order),
        load=_lines(
            1,
            load_constants,
            [load(SCALE, f"_constants + {len(program.constants)}*_n + _p")],
            [load(gradient_of(name), f"_grad_state + {order[name]}*_size + _i") for name in carried],
            [load(name, f"_grad_constants + {k}*_size + _i") for k, name in enumerate(add)],
        ),
        first=_lines(
            3,
            [load(name, f"_at + {k}*_size") for name, k in order.items()],
            [store(f"_past + {k}*_size + _i", name) for name, k in order.items()],
        ),
        again=_lines(4, take, compute, follow, [store(f"_at + {k}*_size", name) for name, k in order.items()]),
        body=_lines(
            3,
            [load(name, f"_at + {k}*_size") for name, k in order.items()],
            take,
            [load(SPIKE_GRADIENT, "_grad_spikes + (_step if _each_step else 0) + _i")],
            ["if _fed_back:"],
            ["    _fed = _feedback + (_t % _n_places)*_size + _i"],
            [f"    {SPIKE_GRADIENT} += tl.load(_fed, mask=_here, other=0.0)"],
            ["    " + store("_fed", f"{SPIKE_GRADIENT}*0.0")],
            [
                f"{gradient_of(name)} += tl.load({row('_grad_seen', k, len(observe))}, mask=_here, other=0.0)"
                for k, name in enumerate(observe)
                if name in carried
            ],
            compute,
            [str(statement) for statement in adjoint.statements],
            [
                store(row("_grad_arrived", k, len(arrived)), gradients[gradient_of(name)])
                for k, name in enumerate(arrived)
            ],
            [f"{name} += {gradients[name]}" for name in add],
            [f"_before{name} = {gradients[name]}" for name in carry],
            [f"{name} = _before{name}" for name in carry],
        ),
        store=_lines(
            1,
            [store(f"_grad_state + {order[name]}*_size + _i", gradient_of(name)) for name in carried],
            [store(f"_grad_constants + {k}*_size + _i", name) for k, name in enumerate(add)],
        ),
    )
    return _HEAD + (forward + backward).replace("indicator(", "indicator(_constants.dtype.element_ty, ")


def _lines(depth: int, *groups: list[str]) -> str:
    return "\n".join("    " * depth + line for group in groups for line in group)
