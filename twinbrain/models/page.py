"""The reference page of the library's models, made from their cards.

``python -m twinbrain.models.page`` prints it; ``make models`` writes it to ``docs/reference/models.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from twinbrain import units
from twinbrain.models.cells import CELL_CARDS
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.plasticity import PlasticityModel
from twinbrain.spec.quantity import Value

Values = Mapping[str, Value]

_METHODS = {
    "exact": "integrated exactly, together with the receptors, which must be linear (currents)",
    "linear": "integrated exactly, together with the receptors, which must be linear (currents)",
    "euler": "integrated by Euler's method",
    "exponential_euler": "integrated by the exponential Euler method",
    "rk2": "integrated by the midpoint method",
    "rk4": "integrated by the fourth-order Runge-Kutta method",
}

_OPENING = """# Models

The neurons, receptors and plasticity rules of the library, with the parameters of published cells. This page is made
from the cards in `twinbrain/models` (`make models`), so it says what is computed.

Equations are in [Brian2's language](https://brian2.readthedocs.io/en/stable/user/equations.html), in physical units;
`I_syn` is the sum of the currents of a neuron's receptors. Every number can be changed in a cell, and made to differ
between neurons. How a step is computed: [how a brain is run](../explanation/how-a-brain-is-run.md). Models of your own:
[write a region](../how-to/write-a-region.md), [add plasticity](../how-to/add-plasticity.md).
"""

_CELLS = """### Cells of `{model}`

{how} What is not given is the model's default.
"""

_USE = 'Take one with `tb.cell_card("{name}", receptors=["ampa", "gaba_a"])`, or copy its values into a region.'

_MOST_COLUMNS = 12


class Card(Protocol):
    """What every model of the library tells about itself."""

    @property
    def summary(self) -> str: ...  # noqa: D102
    @property
    def references(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def equations(self) -> str: ...  # noqa: D102
    @property
    def parameters(self) -> Values: ...  # noqa: D102


def page(further: Mapping[str, Mapping[str, Card]] | None = None) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    further : dict of str to dict of str to card, optional
        Sections besides those of neurons, receptors and plasticity: their titles, and their cards by name.
    """
    sections: dict[str, Mapping[str, Card]] = {
        "Neurons": NEURON_MODELS,
        "Receptors": RECEPTOR_MODELS,
        "Plasticity": PLASTICITY_MODELS,
        **(further or {}),
    }
    parts = [_OPENING]
    for title, cards in sections.items():
        parts += [f"## {title}\n", _contents(cards)]
        for name, card in cards.items():
            parts.append("\n".join(_describe(name, card)))
            if isinstance(card, NeuronModel):
                parts += _cells(name)
    return "\n".join(parts)


def _contents(cards: Mapping[str, Card]) -> str:
    rows = [f"| `{name}` | {card.summary} |" for name, card in cards.items()]
    return "\n".join(["| name | what it is |", "| --- | --- |", *rows, ""])


def _describe(name: str, card: Card) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{card.summary}\n"
    equations, declared = _lines(card.equations)
    if equations:
        yield "\n".join(["```", *(text for text, _, _ in equations), "```\n"])
    if isinstance(card, NeuronModel):
        yield f"{_neuron(card, equations)}\n"
    elif isinstance(card, ReceptorModel):
        yield f"{_receptor(card, equations, declared)}\n"
    elif isinstance(card, PlasticityModel):
        yield f"{_rule(card, declared)}\n"
    if card.parameters:
        # Rates of channels are shown per millisecond, those of spikes are not.
        shown = str if isinstance(card, PlasticityModel) else _shown
        values = ", ".join(f"`{key}` {shown(value)}" for key, value in card.parameters.items())
        yield f"Defaults: {values}.\n"
    if ranges := getattr(card, "ranges", ()):
        yield f"Possible: {', '.join(f'`{text}`' for text in ranges)}.\n"
    yield f"{_sources(card.references)}\n"


def _neuron(model: NeuronModel, equations: list[tuple[str, str, str]]) -> str:
    reset = ", ".join(f"`{part.strip()}`" for part in re.split(r"[;\n]", model.reset) if part.strip())
    held = [f"`{name}`" for text, _, flag in equations for name in re.findall(r"^d(\w+)/dt", text) if flag]
    after = f"; then {reset}" if reset else "; nothing is reset"
    refractory = ""
    if model.refractory:
        holding = f", in which {_series(held)} {'is' if len(held) == 1 else 'are'} held" if held else ""
        refractory = f" No other spike follows within `{model.refractory}`{holding}."
    start = ", ".join(f"`{name}` {_shown(value)}" for name, value in model.initial.items())
    begins = f" It begins at {start}." if start else ""
    return f"A spike: `{model.threshold}`{after}.{refractory} It is {_METHODS[model.method]}.{begins}"


def _receptor(model: ReceptorModel, equations: list[tuple[str, str, str]], declared: dict[str, str]) -> str:
    own = {name: unit for text, unit, _ in equations for name in re.findall(r"^d(\w+)/dt", text)}
    if model.jump in own:
        return f"A spike adds its weight ({units.familiar(own[model.jump])}) to `{model.jump}`, before the integration."
    if model.jump in declared:
        unit = units.familiar(declared[model.jump])
        return f"The weights ({unit}) that arrive in a step are `{model.jump}` for that step."
    return f"A spike adds its weight to the neuron's `{model.jump}`, in its unit, after the integration."


def _rule(model: PlasticityModel, declared: dict[str, str]) -> str:
    whens = {
        "on_event": "Before every event",
        "on_pre": "A spike arrives",
        "on_post": "The target neuron spikes",
        "on_modulator": "Modulating neurons spike",
    }
    events = []
    for event, when in whens.items():
        parts = [f"`{part.strip()}`" for part in re.split(r"[;\n]", getattr(model, event)) if part.strip()]
        events += [f"{when}: {', '.join(parts)}."] if parts else []
    given = [f"`{name}`" for name in declared if name not in model.parameters]
    start = ", ".join(f"`{name}` {_shown(value)}" for name, value in model.initial.items())
    begins = [f"It begins at {start}."] if start else []
    return " ".join([*events, *begins, *([f"To be given: {_series(given)}."] if given else [])])


def _cells(model: str) -> list[str]:
    cards = {name: card for name, card in CELL_CARDS.items() if card.model == model}
    if not cards:
        return []
    names = list(dict.fromkeys(name for card in cards.values() for name in card.parameters))
    if len(names) > _MOST_COLUMNS:  # what is special of a few cells then stands beside them
        names = [name for name in names if all(name in card.parameters for card in cards.values())]
    unit = {name: _value(next(c.parameters[name] for c in cards.values() if name in c.parameters))[1] for name in names}
    header = ["card", *(f"`{name}`{f' ({unit[name]})' if unit[name] else ''}" for name in names), "what it is"]
    sources = list(dict.fromkeys(card.references for card in cards.values()))
    rows = []
    for name, card in cards.items():
        special = ", ".join(f"`{key}` {_shown(value)}" for key, value in card.parameters.items() if key not in names)
        text = [card.summary, *([f"With {special}."] if special else [])]
        text += [_sources(card.references)] if len(sources) > 1 else []
        shared = (_value(card.parameters[key])[0] if key in card.parameters else "" for key in names)
        rows.append([f"`{name}`", *shared, " ".join(text)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))
    opening = _CELLS.format(model=model, how=_USE.format(name=next(iter(cards))))
    return [opening, f"{table}\n", *([f"{_sources(sources[0])}\n"] if len(sources) == 1 else [])]


def _lines(text: str) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """Return equations, each with its unit and flag, and what is declared, with its unit."""
    equations, declared = [], {}
    for line in text.replace("\\\n", "").splitlines():
        if match := re.fullmatch(r"\s*(.+?)\s*:\s*([^:(]+?)\s*(\(.*\))?\s*", line):
            if "=" in match[1]:
                equations.append((re.sub(r" +", " ", match[1]), match[2], match[3] or ""))
            else:
                declared[match[1]] = match[2]
    return equations, declared


def _value(value: Value) -> tuple[str, str]:
    """Return a quantity's number and unit; rates of channels and the like are shown per millisecond."""
    if not isinstance(value, str):
        return (f"{value:g}" if isinstance(value, float) else str(value)), ""
    number, _, unit = value.partition(" ")
    if unit == "Hz":
        number, unit = str(units.number(value, "1/ms")), "1/ms"
    return f"{float(number):.6g}", unit.replace("**3", "³")


def _shown(value: Value) -> str:
    number, unit = _value(value)
    return f"{number}/ms" if unit == "1/ms" else f"{number} {unit}".strip()


def _sources(references: tuple[str, ...]) -> str:
    links = ", ".join(f"[{doi}](https://doi.org/{doi})" for doi in references)
    return f"Source{'s' if len(references) > 1 else ''}: {links}."


def _series(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


if __name__ == "__main__":
    print(page(), end="")
