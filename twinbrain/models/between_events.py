"""Solve a synapse's equations in closed form, from one of its events to the next.

Each variable follows ``dy/dt = a*y + f``, where ``a`` is a number and ``f`` a polynomial in variables that do not
depend on ``y``. All of them are then sums of ``factor * t**power * exp(rate*t)``, and so are their products and
integrals: nothing is computed between two events, however far apart they are.
"""

from __future__ import annotations

from typing import Any

import sympy

from twinbrain.errors import SpecError
from twinbrain.models.algebra import Hoister, Statement, python_text

ELAPSED = "elapsed"
"""Steps since the synapse's last event, in programs."""

# Terms that divide n times by differences of decays lose digits by the n-th power of the difference's share of their
# sum: it has to be such that errors stay near 1e-10 of what drives.
_LEFT, _FARTHEST = 1e-6, 0.1

_MOST_TERMS = 400

# A sum of terms: (rate, power of time) to the factor.
Terms = dict[tuple[Any, int], Any]


def solve(rates: dict[str, Any], held: set[str], hoister: Hoister) -> tuple[list[Statement], tuple[str, ...]]:
    """Return the statements that take variables over `ELAPSED` steps, and what has to be positive for them to hold.

    The latter are expressions of parameters: terms that divide by the difference of two decays cancel when it is small.

    Parameters
    ----------
    rates : dict of str to sympy expression
        Of each variable, its derivative.
    held : set of str
        Variables without an equation, which stay as they are.
    hoister : Hoister
        Renders them; all variables and `ELAPSED` are among its moving names.

    Raises
    ------
    SpecError
        If an equation is of another form.
    """
    solved: dict[str, Terms] = {}
    shown: dict[str, Terms] = {}
    used = {other for name in rates for other in _others(name, rates)}
    divided: dict[str, int] = {}
    most = 1
    near: set[tuple[Any, Any]] = set()
    while len(solved) < len(rates):
        ready = [name for name in rates if name not in solved and _others(name, rates) <= set(solved)]
        if not ready:
            left = ", ".join(name for name in rates if name not in solved)
            raise SpecError(
                f"expected equations that can be solved one after the other, found that {left} depend "
                f"on each other; {_ADVICE}"
            )
        for name in ready:
            solved[name], shown[name], pairs, times = _solve_one(name, rates[name], solved, held, divided)
            most = max(most, times)
            near |= {(growth, exponent) for growth, exponent, powered in pairs if powered or name in used}
    share = min(_LEFT ** (1 / most), _FARTHEST)
    return _render({name: shown[name] for name in rates}, hoister), tuple(
        sorted(_margin(*pair, share) for pair in near)
    )


_ADVICE = 'use method = "euler", "exponential_euler", "rk2" or "rk4", which compute every step'


def _symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def _others(name: str, rates: dict[str, Any]) -> set[str]:
    return {str(symbol) for symbol in rates[name].free_symbols} & set(rates) - {name}


def _solve_one(
    name: str, rate: Any, solved: dict[str, Terms], held: set[str], divided: dict[str, int]
) -> tuple[Terms, Terms, list[tuple[Any, Any, int]], int]:
    """Return a variable's terms, those to solve others with and those to compute it by.

    Beside them stand pairs of decays by whose difference the former divide, and the latter where the power of time that
    comes with them is not 0; and how often the latter divide. ``divided`` gets how often the former do.
    """
    own, moving = _symbol(name), [_symbol(other) for other in (name, *solved)]
    growth: Any = sympy.Integer(0)
    forcing: Terms = {}
    before = 0
    for term in sympy.Add.make_args(sympy.expand(rate)):
        factor, rest = term.as_independent(*moving, as_Add=False)
        powers = {base: power for base, power in rest.as_powers_dict().items() if base != 1}
        if any(base not in moving or not power.is_Integer or power < 0 for base, power in powers.items()):
            raise SpecError(f"expected a polynomial of variables in d{name}/dt, found {term}; {_ADVICE}")
        if own not in powers:
            product: Terms = {(sympy.Integer(0), 0): factor}
            for base, power in powers.items():
                for _ in range(int(power)):
                    product = _multiply(product, solved[str(base)])
            forcing = _add(forcing, product)
            before = max(before, sum(divided[str(base)] * int(power) for base, power in powers.items()))
        elif powers == {own: 1} and not {str(symbol) for symbol in factor.free_symbols} & held:
            growth += factor
        else:
            raise SpecError(f"expected d{name}/dt to be linear in {name}, found {term}; {_ADVICE}")
    growth = sympy.expand(growth)
    found: tuple[Terms, Terms] = {(growth, 0): own}, {(growth, 0): own}
    pairs: list[tuple[Any, Any, int]] = []
    divided[name] = shown = before
    for (exponent, power), factor in forcing.items():
        if 0 not in (growth, exponent, sympy.expand(exponent - growth)):
            pairs.append((growth, exponent, power))
            divided[name] = max(divided[name], before + power + 1)
            shown = max(shown, before + power + 1 if power else before)
        responses = _response(growth, exponent, power), _computed_response(growth, exponent, power)
        for i, response in enumerate(responses):
            found[i].update(_add(found[i], {key: factor * value for key, value in response.items()}))
    return *found, pairs, shown


def _margin(growth: Any, exponent: Any, share: float) -> str:
    """Return an expression that is positive where two decays are far enough apart."""
    return python_text(sympy.Abs(growth - exponent) - share * (sympy.Abs(growth) + sympy.Abs(exponent)))


def _response(growth: Any, exponent: Any, power: int) -> Terms:
    """Return the integral over s in 0 … t of exp(growth*(t - s)) * s**power * exp(exponent*s)."""
    difference = sympy.expand(exponent - growth)
    if difference == 0:
        return {(growth, power + 1): sympy.Rational(1, power + 1)}
    terms: Terms = {(exponent, power): 1 / difference}
    if power == 0:
        return _add(terms, {(growth, 0): -1 / difference})
    lower = _response(growth, exponent, power - 1)
    return _add(terms, {key: -power * value / difference for key, value in lower.items()})


def _computed_response(growth: Any, exponent: Any, power: int) -> Terms:
    """Return the same in a form that loses nothing where two decays are equal or nearly so.

    With a factor that moves, other variables cannot be solved by it. The slower decay is taken out: nothing overflows.
    """
    apart = sympy.Abs(sympy.expand(exponent - growth))
    if power or 0 in (growth, exponent, apart):
        return _response(growth, exponent, power)
    time = _symbol("dt") * _symbol(ELAPSED)
    return {((growth + exponent + apart) / 2, 1): sympy.Function("exprel")(-apart * time)}


def _add(one: Terms, other: Terms) -> Terms:
    total = dict(one)
    for key, factor in other.items():
        total[key] = total.get(key, sympy.Integer(0)) + factor
    return total


def _multiply(one: Terms, other: Terms) -> Terms:
    if len(one) * len(other) > _MOST_TERMS:
        raise SpecError(f"expected equations whose solutions have at most {_MOST_TERMS} terms, found more; {_ADVICE}")
    product: Terms = {}
    for (rate, power), factor in one.items():
        for (other_rate, other_power), other_factor in other.items():
            key = sympy.expand(rate + other_rate), power + other_power
            product = _add(product, {key: factor * other_factor})
    return product


def _render(solved: dict[str, Terms], hoister: Hoister) -> list[Statement]:
    """Return statements: first the exponentials, then all new values, then they take the place of the old ones."""
    time = _symbol("dt") * _symbol(ELAPSED)
    code: list[Statement] = []
    decays: dict[Any, Any] = {sympy.Integer(0): sympy.Integer(1)}
    for rate, _ in (key for terms in solved.values() for key in terms):
        if rate not in decays:
            decays[rate] = _symbol(f"_e{len(decays)}")
            code += hoister.assign(str(decays[rate]), sympy.exp(rate * time))
    changed = [name for name, terms in solved.items() if terms != {(sympy.Integer(0), 0): _symbol(name)}]
    for name in changed:
        value = sum(factor * time**power * decays[rate] for (rate, power), factor in solved[name].items())
        code += hoister.assign(f"_new_{name}", value)
    return [*code, *(Statement(name, f"_new_{name}") for name in changed)]
