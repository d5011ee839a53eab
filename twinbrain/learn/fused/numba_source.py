"""Write the steps of a block and their adjoint as loops for numba, one of many steps each.

Arrays of all state variables, constants and so on lie in one array each, neurons innermost; a loop takes rows of it, in
tiles of neurons that stay in the nearest cache from step to step.
"""

from __future__ import annotations

import ast

from twinbrain.engines.brian2.scalar import FUNCTIONS
from twinbrain.learn.fused.adjoint import SCALE, SLOPE, SPIKE_GRADIENT, differentiate, expression_of, gradient_of
from twinbrain.learn.fused.operations import read_operations
from twinbrain.learn.fused.surrogates import find_surrogate
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

_HEAD = '''"""Steps and their adjoint, written out by twinbrain."""

import numba as _numba
import numpy as _np

from twinbrain.engines.brian2.scalar import {functions}
from twinbrain.learn.fused.scalar import Disjoint as _Disjoint, relative_slope

_F = _np.{dtype}
_compile = _numba.njit(cache=True, nogil=True, error_model="numpy")
_compile_row = _numba.njit(cache=True, nogil=True, error_model="numpy", pipeline_class=_Disjoint)

'''

_ROW = """
@_compile_row
def {name}({arguments}):
    for _i in range(_n):
{body}
"""

_FORWARD = """
@_compile
def forward(_first, _last, _tile, _every, _state, _constants, _arrived, _spikes, _seen, _kept):
    _n_steps, _, _n = _spikes.shape
    _n_tiles = (_n + _tile - 1)//_tile
    for _unit in range(_first, _last):
        _b, _from = _unit//_n_tiles, (_unit % _n_tiles)*_tile
        _to = min(_from + _tile, _n)
        for _t in range(_n_steps):
            if _t % _every == 0:
                for _k in range(_state.shape[0]):
                    _kept[_t//_every, _k, _b, _from:_to] = _state[_k, _b, _from:_to]
            forward_row(_to - _from, {rows})
"""

_BACKWARD = """
@_compile
def backward(
    _first, _last, _tile, _every, _slope, _kept, _constants, _arrived,
    _grad_state, _grad_spikes, _grad_seen, _grad_arrived, _grad_constants,
):
    _n_steps, _, _n = _grad_spikes.shape
    _n_tiles = (_n + _tile - 1)//_tile
    _past = _np.empty((_every + 1, _kept.shape[1], _tile), _F)
    for _unit in range(_first, _last):
        _b, _from = _unit//_n_tiles, (_unit % _n_tiles)*_tile
        _to = min(_from + _tile, _n)
        for _segment in range((_n_steps - 1)//_every, -1, -1):
            _start = _segment*_every
            _stop = min(_start + _every, _n_steps)
            for _k in range(_kept.shape[1]):
                _past[0, _k, :_to - _from] = _kept[_segment, _k, _b, _from:_to]
            for _t in range(_start, _stop - 1):
                _m = _t - _start
                again_row(_to - _from, {again_rows})
            for _t in range(_stop - 1, _start - 1, -1):
                _m = _t - _start
                backward_row(_to - _from, _slope, {rows})
"""


def numba_source(
    program: StepProgram, dtype: str, surrogate: str, constants: tuple[str, ...], observe: tuple[str, ...]
) -> str:
    """Return the source of a module with ``forward`` and ``backward``.

    Parameters
    ----------
    program : StepProgram
        The step.
    dtype : str
        "float32" or "float64".
    surrogate : str
        Name of the spike's derivative.
    constants : tuple of str
        Those whose gradient is wanted.
    observe : tuple of str
        State variables that are given after each step.
    """
    step = read_operations(program)
    carried = [name for name in program.state if name != REFRACTORY_LEFT]
    arrived = [f"_arrived_{receptor}" for receptor in program.jumps]
    adjoint = differentiate(step, (*carried, *arrived, *constants), find_surrogate(surrogate))
    order = {name: k for k, name in enumerate(program.state)}
    # Names of rows are those of what lies in them, with one of these before.
    given = {name: f"_constants[{k}, _from:_to]" for k, name in enumerate(program.constants)}
    given |= {name: f"_arrived[_t, _b, {k}, _from:_to]" for k, name in enumerate(arrived)}
    past = {name: f"_past[_m, {k}]" for name, k in order.items()}
    after = {f"_next_{name}": f"_past[_m + 1, {k}]" for name, k in order.items()}
    seen = {f"_seen_{name}": f"_seen[_t, _b, {k}, _from:_to]" for k, name in enumerate(observe)}
    compute = [f"{operation.target} = {_precise(expression_of(operation))}" for operation in step.operations]
    forward_rows = given | {name: f"_state[{k}, _b, _from:_to]" for name, k in order.items()} | seen
    forward_rows |= {"_spikes": "_spikes[_t, _b, _from:_to]"}
    load = [f"{name} = _row_{name}[_i]" for name in (*given, *program.state)]
    forward = [
        *(f"_row_{name}[_i] = {value}" for name, value in step.state.items()),
        f"_row__spikes[_i] = _F(1.0) if {step.spiked} else _F(0.0)",
        *(f"_row__seen_{name}[_i] = {step.state[name]}" for name in observe),
    ]
    again = [f"_row__next_{name}[_i] = {value}" for name, value in step.state.items()]
    carry = {gradient_of(name): f"_grad_state[{order[name]}, _b, _from:_to]" for name in carried}
    give = {gradient_of(name): f"_grad_arrived[_t, _b, {k}, _from:_to]" for k, name in enumerate(arrived)}
    add = {gradient_of(name): f"_grad_constants[{k}, _b, _from:_to]" for k, name in enumerate(constants)}
    taken = {
        SCALE: f"_constants[{len(program.constants)}, _from:_to]",
        SPIKE_GRADIENT: "_grad_spikes[_t, _b, _from:_to]",
    }
    seen_gradient = {f"_seen_{name}": f"_grad_seen[_t, _b, {k}, _from:_to]" for k, name in enumerate(observe)}
    gradients = {gradient_of(name): _precise(text) for name, text in adjoint.gradients.items()}
    backward = [
        *(f"{name} = _row_{name}[_i]" for name in (*taken, *carry)),
        *(f"{gradient_of(name)} += _row__seen_{name}[_i]" for name in observe if name in carried),
        *(f"{s.target} = {_precise(s.expression)}" for s in adjoint.statements),
        *(f"_row_{name}[_i] = {gradients[name]}" for name in (*carry, *give)),
        *(f"_row_{name}[_i] += {gradients[name]}" for name in add),
    ]
    backward_rows = given | past | taken | carry | seen_gradient | give | add
    return (
        _HEAD.format(functions=", ".join(FUNCTIONS), dtype=dtype)
        + _row("forward_row", ["_n", *_names(forward_rows)], [*load, *compute, *forward])
        + _FORWARD.format(rows=", ".join(forward_rows.values()))
        + _row("again_row", ["_n", *_names(given | past | after)], [*load, *compute, *again])
        + _row("backward_row", ["_n", SLOPE, *_names(backward_rows)], [*load, *compute, *backward])
        + _BACKWARD.format(
            again_rows=", ".join((given | past | after).values()), rows=", ".join(backward_rows.values())
        )
    )


def _names(rows: dict[str, str]) -> list[str]:
    return [f"_row_{name}" for name in rows]


def _row(name: str, arguments: list[str], body: list[str]) -> str:
    return _ROW.format(name=name, arguments=", ".join(arguments), body="\n".join(f"        {line}" for line in body))


class _Precise(ast.NodeTransformer):
    """Numbers and values of functions in the precision of the loop: numba would compute all else in the higher."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return node if isinstance(node.value, bool) else _cast(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        return node if node.func.id in ("select", "bounded", "abs") else _cast(node)


def _cast(node: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Name(id="_F", ctx=ast.Load()), args=[node], keywords=[])


def _precise(expression: str) -> str:
    return ast.unparse(_Precise().visit(ast.parse(expression, mode="eval")))
