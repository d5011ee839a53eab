"""How many variables of a system need each other: what can be solved in closed form, in a time that is bounded."""

from __future__ import annotations

from collections.abc import Iterable

from twinbrain.errors import SpecError
from twinbrain.language.lines import Equation
from twinbrain.language.tree import names_in

MOST_COUPLED = 2
"""Variables that need each other in a circle: the roots of a cubic or higher polynomial have no form that is real.

A circle stands alone. With a variable before or behind it, minutes go into its solution.
"""
LONGEST_CHAIN = 3
"""Variables of which each needs the next: every one more makes the solution several times as long."""
MOST_SOLVED = 30
"""Variables that are solved together."""


def check_coupling(equations: Iterable[Equation]) -> None:
    """Check that a system's variables are few, and need each other in small circles and short chains.

    Raises
    ------
    SpecError
        If they do not, and method "exact" could take without end.
    """
    equations = tuple(equations)
    needed = {e.name: names_in(e.tree) for e in equations if e.tree is not None}
    variables = [e.name for e in equations if e.kind == "derivative"]
    reached = {name: _reached(name, needed) & set(variables) for name in variables}
    circle = {name: {other for other in reached[name] if name in reached[other]} | {name} for name in variables}

    def joins(name: str) -> bool:
        return bool(reached[name] - circle[name]) or any(name in reached[o] for o in variables if o not in circle[name])

    chain: dict[str, int] = {}
    for name in sorted(variables, key=lambda name: len(reached[name])):
        chain[name] = 1 + max((chain[other] for other in reached[name] - circle[name] if other in chain), default=0)
    if len(variables) > MOST_SOLVED:
        found = f"{len(variables)} variables"
    elif largest := next((sorted(names) for names in circle.values() if len(names) > MOST_COUPLED), None):
        found = f"a circle of {', '.join(largest)}"
    elif joined := next((names for name, names in circle.items() if len(names) > 1 and joins(name)), None):
        found = f"a circle of {', '.join(sorted(joined))} with others before or behind it"
    elif longest := next((name for name in variables if chain[name] > LONGEST_CHAIN), None):
        found = f"a chain of {chain[longest]} that ends in {longest}"
    else:
        return
    raise SpecError(
        f"expected for method 'exact' at most {MOST_SOLVED} variables, in chains of at most {LONGEST_CHAIN} "
        f'and circles of {MOST_COUPLED} that stand alone, found {found}; use "exponential_euler", "rk2" or "rk4"'
    )


def _reached(name: str, needed: dict[str, set[str]]) -> set[str]:
    """Return all that a variable depends on, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = needed.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
