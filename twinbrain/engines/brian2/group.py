"""A block as a NeuronGroup."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.engines.brian2.compiler import functions
from twinbrain.models.algebra import Statement, renamed
from twinbrain.models.brian import import_brian2
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram
from twinbrain.network.network import Block

SPIKED = "has_spiked"


class BlockGroup:
    """A NeuronGroup that computes the step of a block, its inboxes lying in the network's flat inbox.

    The whole step, threshold and reset included, is one piece of code: it vectorises, and is compiled once.

    Parameters
    ----------
    block : Block
        What it computes.
    inbox : ndarray of int32, shape (n_inlets,)
        The flat inbox.
    clock : brian2.Clock
        The network's private clock.
    """

    def __init__(self, block: Block, inbox: NDArray[np.int32], clock: Any) -> None:
        brian2 = import_brian2()
        program = block.program
        declarations = [
            *(f"{_own(name)} : 1" for name in (*program.state, SPIKED)),
            *(f"{_own(name)} : 1 (constant)" for name in program.constants),
            *(f"{_beside(f'quantum_{inlet.receptor}')} : 1 (shared, constant)" for inlet in block.inlets),
            *(f"{_beside(f'inbox_{inlet.receptor}')} : integer" for inlet in block.inlets),
        ]
        # Names are canonical: compiled code is found again by its text, and the text holds the names.
        self.group = brian2.NeuronGroup(
            block.size, "\n".join(declarations), clock=clock, name=f"n_{block.name}", namespace=functions()
        )
        self.step = self.group.run_regularly(
            "\n".join(_code(program)), clock=clock, when="groups", name=f"n_{block.name}_step"
        )
        for inlet in block.inlets:
            variable = self.group.variables[_beside(f"inbox_{inlet.receptor}")]
            variable.device.arrays[variable] = inbox[inlet.start : inlet.stop]
        self.load(block)

    def load(self, block: Block) -> None:
        """Take the constants, the initial state and the quanta of a block of the same program and size."""
        self.block = block
        for name, values in (block.constants | block.initial).items():
            self.array(name)[:] = values
        for inlet in block.inlets:
            self.group.variables[_beside(f"quantum_{inlet.receptor}")].set_value(inlet.quantum)

    def array(self, variable: str) -> NDArray[np.float64]:
        """Return the values of a variable, not a copy."""
        values: NDArray[np.float64] = self.group.variables[_own(variable)].get_value()
        return values

    @property
    def objects(self) -> list[Any]:
        """The Brian2 objects."""
        return [self.group, self.step]


def _own(name: str) -> str:
    """Return what a variable of the model is called in Brian2's code, where it is no type, keyword or attribute."""
    return f"{name}_own"


def _beside(name: str) -> str:
    """Return what is called so beside the variables: a name that could be one of theirs gets another end."""
    return _own(name) if name.endswith("_own") else name


def _code(program: StepProgram) -> list[str]:
    """Return the step, the reset applied where the threshold was crossed."""
    reset = [
        Statement(s.target, f"select({SPIKED} > 0.0, {s.expression}, {s.target})") if s.target in program.state else s
        for s in program.reset
    ]
    spiked = f"indicator({program.threshold})"
    if REFRACTORY_LEFT in program.state:
        spiked = f"select({REFRACTORY_LEFT} > 0.0, 0.0, {spiked})"
    own = {name: _own(name) for name in (*program.state, SPIKED, *program.constants)}
    for receptor, jump in program.jumps.items():
        beside = (f"inbox_{receptor}", f"quantum_{receptor}", *((jump,) if jump not in program.state else ()))
        own |= {name: _beside(name) for name in beside}
    return [
        f"{own.get(s.target, s.target)} = {renamed(s.expression, own)}"
        for s in (*program.integrate, Statement(SPIKED, spiked), *reset)
    ]
