"""Write the steps of a block and their adjoint as loops for numba, one of many steps each.

State variables, constants and so on lie in one array each, neurons innermost; a loop takes some trials and neurons, few
enough that their state stays in a near cache from step to step.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from twinbrain.engines.brian2 import scalar as functions
from twinbrain.engines.brian2.scalar import FUNCTIONS
from twinbrain.learn.fused import events, scalar
from twinbrain.learn.fused import rows as sums
from twinbrain.learn.fused.adjoint import SCALE, SLOPE, SPIKE_GRADIENT, differentiate, expression_of, gradient_of
from twinbrain.learn.fused.numba_drivers import BACKWARD, FORWARD, RECURRENT
from twinbrain.learn.fused.operations import read_operations
from twinbrain.learn.fused.surrogates import find_surrogate
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

_HEAD = '''"""Steps and their adjoint, written out by twinbrain, with functions of {used}."""

import numba as _numba
import numpy as _np

from twinbrain.engines.brian2.scalar import {functions}
from twinbrain.learn.fused.events import add_outer as _add_outer, add_rows as _add_rows
from twinbrain.learn.fused.rows import add_product_of as _add_product_of, copy_tile as _copy_tile
from twinbrain.learn.fused.scalar import Disjoint as _Disjoint, relative_slope

_F = _np.{dtype}
_compile = _numba.njit(cache=True, nogil=True, error_model="numpy")
_compile_rows = _numba.njit(cache=True, nogil=True, error_model="numpy", pipeline_class=_Disjoint)

'''

# Unsigned places cannot be counted from the end, which compilers would have to allow for.
_ROWS = """
@_compile_rows
def {name}(_b0, _b1, _i0, _i1, {arguments}):
    for _b in range(_np.uint64(_b0), _np.uint64(_b1)):
        for _i in range(_np.uint64(_i0), _np.uint64(_i1)):
{body}
"""


class _Rows:
    """Where values lie: the arrays that a loop takes, what each is in the call, and the place in them."""

    def __init__(self) -> None:
        self.arguments: dict[str, str] = {}
        self.places: dict[str, str] = {}

    def add(self, name: str, argument: str, value: str, place: str) -> None:
        """Say where a value lies."""
        self.arguments[argument] = value
        self.places[name] = f"{argument}[{place}]"

    def load(self, *names: str) -> list[str]:
        """Return statements that read values."""
        return [f"{name} = {self.places[name]}" for name in names]


def _argument(variable: str) -> str:
    """Return what the array of a state variable is called: not as one of spikes, of gradients and so on."""
    taken = variable in ("spikes", "seen", "feedback") or variable.startswith("gradient_")
    return f"_at_{'_' * taken}{variable}"


def numba_source(
    program: StepProgram, dtype: str, surrogate: str, constants: tuple[str, ...], observe: tuple[str, ...]
) -> str:
    """Return the source of a module with ``forward``, ``backward`` and the same of recurrent blocks.

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
    gradients = {gradient_of(name): _precise(text) for name, text in adjoint.gradients.items()}
    order = {name: k for k, name in enumerate(program.state)}
    compute = [f"{operation.target} = {_precise(expression_of(operation))}" for operation in step.operations]

    def given(arriving: str) -> _Rows:
        rows = _Rows()
        for k, name in enumerate((*program.constants, SCALE)):
            rows.add(name, "_constants", "_constants", f"{k}, _i")
        for k, name in enumerate(arrived):
            rows.add(name, "_arriving", arriving, f"_b, {k}, _i")
        return rows

    forward = given("_arrived[_t]")
    for k, name in enumerate(program.state):
        forward.add(name, _argument(name), f"_state[{k}]", "_b, _i")
    forward.add("_spikes", "_at_spikes", "_spikes[_t]", "_b, _i")
    for k, name in enumerate(observe):
        forward.add(f"_seen_{name}", "_at_seen", "_seen[_t]", f"_b, {k}, _i")
    again, backward = given("_given"), given("_given")
    for k, name in enumerate(program.state):
        for rows in (again, backward):
            rows.add(name, _argument(name), f"_before[{k}]", "_b - _np.uint64(_b0), _i - _np.uint64(_i0)")
        again.add(f"_next_{name}", f"_next_{name}", f"_after[{k}]", "_b - _np.uint64(_b0), _i - _np.uint64(_i0)")
    for name in carried:
        backward.add(gradient_of(name), f"_at{gradient_of(name)}", f"_grad_state[{order[name]}]", "_b, _i")
    backward.add(SPIKE_GRADIENT, "_at_grad_spikes", "_grad_spikes[_t % _grad_spikes.shape[0]]", "_b, _i")
    backward.add("_feedback", "_at_feedback", "_fed", "_b, _i")
    for k, name in enumerate(observe):
        backward.add(f"_seen_{name}", "_at_seen", "_grad_seen[_t]", f"_b, {k}, _i")
    for k, name in enumerate(arrived):
        backward.add(gradient_of(name), "_at_grad_arrived", "_grad_arrived[_t]", f"_b, {k}, _i")
    for k, name in enumerate(constants):
        backward.add(gradient_of(name), f"_at{gradient_of(name)}", f"_grad_constants[{k}]", "_b, _i")
    inputs = (*program.constants, *arrived, *program.state)
    bodies = {
        "forward": [
            *(*forward.load(*inputs), *compute),
            *(f"{forward.places[name]} = {value}" for name, value in step.state.items()),
            f"{forward.places['_spikes']} = _F(1.0) if {step.spiked} else _F(0.0)",
            *(f"{forward.places[f'_seen_{name}']} = {step.state[name]}" for name in observe),
        ],
        "again": [
            *(*again.load(*inputs), *compute),
            *(f"{again.places[f'_next_{name}']} = {value}" for name, value in step.state.items()),
        ],
        "backward": [
            *(*backward.load(*inputs, SCALE, SPIKE_GRADIENT, *(gradient_of(name) for name in carried)), *compute),
            f"{SPIKE_GRADIENT} += {backward.places['_feedback']}",
            f"{backward.places['_feedback']} = _F(0.0)",
            *(f"{gradient_of(name)} += {backward.places[f'_seen_{name}']}" for name in observe if name in carried),
            *(f"{s.target} = {_precise(s.expression)}" for s in adjoint.statements),
            *(f"{backward.places[gradient_of(n)]} = {gradients[gradient_of(n)]}" for n in (*carried, *arrived)),
            *(f"{backward.places[gradient_of(n)]} += {gradients[gradient_of(n)]}" for n in constants),
        ],
    }
    loops, calls = [], {}
    for kind, rows in (("forward", forward), ("again", again), ("backward", backward)):
        extra = {SLOPE: SLOPE} if kind == "backward" else {}
        arguments = rows.arguments | extra
        body = "\n".join(" " * 12 + line for line in bodies[kind])
        loops.append(_ROWS.format(name=f"{kind}_rows", arguments=", ".join(arguments), body=body))
        calls[kind] = ", ".join(arguments.values())
    drivers = FORWARD.format(**calls) + BACKWARD.format(**calls) + RECURRENT
    return _HEAD.format(functions=", ".join(FUNCTIONS), dtype=dtype, used=_used()) + "".join(loops) + drivers


@cache
def _used() -> str:
    """Return what tells apart the functions that loops use: numba's cache knows only the text of the loops."""
    texts = [Path(module.__file__).read_bytes() for module in (functions, events, sums, scalar) if module.__file__]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


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
