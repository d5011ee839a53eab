"""Compiled loops over plastic synapses: a rule's program written out as Python source, for numba.

The source is a file, since numba keeps what it compiled beside the file: another process, and the next run, find it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from types import ModuleType

from twinbrain.engines.brian2 import scalar
from twinbrain.engines.generated import import_source
from twinbrain.models.algebra import Statement
from twinbrain.models.between_events import ELAPSED
from twinbrain.models.rule import LAST_UPDATE, MODULATOR_SPIKES, RELEASE, RuleProgram

# Names of the loops' own begin with an underscore; Brian2 lets no other name do so.
_HEAD = '''"""A plasticity rule, written out by twinbrain for functions {version}."""

import numba as _numba
import numpy as _np

from twinbrain.engines.brian2.scalar import {functions}

_compile = _numba.njit(cache=True, error_model="numpy")
'''

_ARRIVE = """
@_compile
def arrive(
    _step, _n, _steps, _sources, _cursors, _row_start, _post, _delay, _per_quantum, _limit, _inbox,
    _state, _shared, _varying,
):
{shared}
    _kept = 0
    for _s in range(_n):
        _i = _cursors[_s]
        _last = _row_start[_sources[_s] + 1]
        _due = _step - 1 - _steps[_s]
        while _i < _last and _delay[_i] <= _due:
            if _delay[_i] == _due:
{body}
                _amount = _np.rint(release * _per_quantum)
                if _amount == _amount:
                    _amount = _limit if _amount > _limit else (-_limit if _amount < -_limit else _amount)
                    _inbox[_post[_i]] += _np.int32(_amount)
            _i += 1
        if _i < _last:
            _steps[_kept], _sources[_kept], _cursors[_kept] = _steps[_s], _sources[_s], _i
            _kept += 1
    return _kept
"""

_INTEGRATE = """
@_compile
def integrate(_state, _shared, _varying):
{shared}
    for _i in range(_state.shape[0]):
{body}
"""

_SPIKE = """
@_compile
def spike(_step, _spikes, _first, _last, _column_start, _column, _state, _shared, _varying):
{shared}
    for _s in range(_first, _last):
        for _j in range(_column_start[_spikes[_s]], _column_start[_spikes[_s] + 1]):
            _i = _column[_j]
{body}
"""

_MODULATE = """
@_compile
def modulate(
    _step, _spikes, _first, _last, _start, _stop, _row_start, _synapse, _state, _shared, _varying,
):
{shared}
    for _g in range(_start.shape[0]):
        _count = 0
        for _s in range(_first, _last):
            if _spikes[_s] >= _start[_g] and _spikes[_s] < _stop[_g]:
                _count += 1
        if _count == 0:
            continue
        modulator_spikes = _np.float64(_count)
        for _j in range(_row_start[_g], _row_start[_g + 1]):
            _i = _synapse[_j]
{body}
"""


def compiled_rule(program: RuleProgram, varying: tuple[str, ...]) -> ModuleType:
    """Return the compiled loops of a rule: ``arrive``, and ``integrate``, ``spike``, ``modulate`` where it has them.

    Parameters
    ----------
    program : RuleProgram
        The rule.
    varying : tuple of str
        Constants that differ between synapses; the others are shared.
    """
    return import_source("rule", rule_source(program, varying))


def rule_source(program: RuleProgram, varying: tuple[str, ...]) -> str:
    """Return the source of a rule's loops; see `compiled_rule`."""
    loops = [(_ARRIVE, program.on_pre, 16)]
    if program.every_step:
        loops.append((_INTEGRATE, (), 8))
    if program.on_post:
        loops.append((_SPIKE, program.on_post, 12))
    if program.on_modulator:
        loops.append((_MODULATE, program.on_modulator, 12))
    # What numba keeps does not notice that a function which it calls has changed.
    version = hashlib.sha256(Path(scalar.__file__).read_bytes()).hexdigest()[:16]
    parts = [_HEAD.format(functions=", ".join(scalar.FUNCTIONS), version=version)]
    for template, statements, indent in loops:
        shared = _lines([f"{name} = _shared[{i}]" for i, name in enumerate(shared_constants(program, varying))], 4)
        parts.append(template.format(shared=shared, body=_lines(_body(program, statements, varying), indent)))
    return "\n".join(parts)


def shared_constants(program: RuleProgram, varying: tuple[str, ...]) -> list[str]:
    """Return the constants that all synapses share, in the order of ``_shared``."""
    return [name for name in program.constants if name not in varying]


def _body(program: RuleProgram, statements: tuple[Statement, ...], varying: tuple[str, ...]) -> list[str]:
    """Return the lines for synapse ``_i``: bring it to the present, carry out statements, keep what they changed."""
    code = statements if program.every_step and statements else (*program.advance, *statements)
    used = {name for s in code for name in re.findall(r"\b[A-Za-z_]\w*", s.expression)}
    changed = {s.target for s in code}
    lines = [f"{name} = _state[_i, {k}]" for k, name in enumerate(program.state) if name in used]
    lines += [f"{name} = _varying[_i, {k}]" for k, name in enumerate(varying) if name in used]
    if LAST_UPDATE in program.state:
        k = program.state.index(LAST_UPDATE)
        lines += [f"{ELAPSED} = _step - _state[_i, {k}]", f"_state[_i, {k}] = _step"]
    lines += [str(statement) for statement in code]
    lines += [f"_state[_i, {k}] = {name}" for k, name in enumerate(program.state) if name in changed]
    return lines or ["pass"]


def _lines(lines: list[str], indent: int) -> str:
    return "\n".join(" " * indent + line for line in lines)


assert (RELEASE, MODULATOR_SPIKES) == ("release", "modulator_spikes")  # as the loops above name them
