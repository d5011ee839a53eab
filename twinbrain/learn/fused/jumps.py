"""What a spike adds to a neuron's own state, such as to its adaptation: through these jumps its gradient passes."""

from __future__ import annotations

from dataclasses import dataclass

from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.models.algebra import Statement, renamed
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram


@dataclass(frozen=True)
class Jumps:
    """Jumps of a program.

    Parameters
    ----------
    statements : tuple of Statement
        They follow those that integrate, and compute the jumps of all neurons, whether they spike or not.
    of : dict of str to str
        For each state variable that has one, the name of its jump.
    """

    statements: tuple[Statement, ...]
    of: dict[str, str]


def read_jumps(program: StepProgram) -> Jumps:
    """Return the jumps of a program: what its reset adds to each state variable but the membrane potential.

    That of the potential is left out, as it is from eligibility traces (Bellec et al. 2020, DOI
    10.1038/s41467-020-17236-y) and in snnTorch: networks learn worse with a gradient through their resets (Zenke and
    Vogels 2021, DOI 10.1162/neco_a_01367).
    """
    jumping = [name for name in dict.fromkeys(s.target for s in program.reset) if name in program.state]
    jumping = [name for name in jumping if name not in (MEMBRANE, REFRACTORY_LEFT)]
    if not jumping:
        return Jumps((), {})
    after: dict[str, str] = {}
    statements = []
    for statement in program.reset:
        expression = renamed(statement.expression, after)
        after[statement.target] = f"_reset_{statement.target}"
        statements.append(Statement(after[statement.target], expression))
    names = {name: f"_jump_{name}" for name in jumping}
    statements += [Statement(jump, f"{after[name]} - {name}") for name, jump in names.items()]
    return Jumps(tuple(statements), names)
