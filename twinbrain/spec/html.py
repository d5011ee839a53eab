"""Regions and brains as small HTML tables, for notebooks and reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from twinbrain.spec.connectome import Connectome
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.labels import first_patterns
from twinbrain.spec.quantity import Distribution
from twinbrain.units import show

if TYPE_CHECKING:
    from twinbrain.spec.brain import Brain
    from twinbrain.spec.cell import Cell
    from twinbrain.spec.projection import Connect, Projection
    from twinbrain.spec.region import Region

_CELL = "text-align:left;vertical-align:top;padding:2px 10px 2px 0"
_SOFT = "opacity:0.6"
_MOST_LINES = 3  # more parameters are folded away


def region_html(region: Region) -> str:
    """Return a region as HTML: its cells, populations, projections, drives, ports and references.

    Parameters
    ----------
    region : Region

    Returns
    -------
    str
        Self-contained, with every text escaped.
    """
    n = len(region.populations)
    counts = f"{region.n_neurons:,} neuron{'s' * (region.n_neurons != 1)} in {n} population{'s' * (n != 1)}"
    sections = [
        _section("Populations", _populations(region)),
        _section("Cells", _cells(region)),
        _section("Projections, from row to column", _projections(region)),
        _section("Drives", _drives(region)),
        _section("Ports", _ports(region)),
        _section("References", _references(region.references)),
    ]
    return _frame(region.name, counts, region.summary, "".join(sections))


def brain_html(brain: Brain) -> str:
    """Return a brain as HTML: its connectome, what stands where, and the synapses between regions.

    Parameters
    ----------
    brain : Brain
        Nodes are counted where the connectome is at hand, and not only its name.

    Returns
    -------
    str
        Self-contained, with every text escaped.
    """
    connectome = brain.connectome if isinstance(brain.connectome, Connectome) else None
    where = (
        f"connectome {PurePath(str(brain.connectome)).name}"
        if connectome is None
        else f"{connectome.n_regions} regions"
    )
    body = _section("Regions, by the label of the node", _mapping(brain, connectome))
    body += _section("Synapses between regions", _long_range(brain))
    if connectome is not None:
        body += _section("Connectome", connectome._repr_html_())
    return _frame(brain.name or "Brain", where, "", body)


def _frame(name: str, facts: str, summary: str, body: str) -> str:
    about = f"<div>{escape(summary)}</div>" if summary else ""
    return (
        f'<div style="font-size:90%"><div><b style="font-size:115%">{escape(name)}</b> '
        f'<span style="{_SOFT}">{escape(facts)}</span></div>{about}{body}</div>'
    )


def _section(title: str, content: str) -> str:
    if not content:
        return ""
    return f'<details open style="margin-top:6px"><summary><b>{escape(title)}</b></summary>{content}</details>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already; nothing if it has no rows."""
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    if not body:
        return ""
    titles = "".join(f'<th style="{_CELL};font-weight:normal;{_SOFT}">{escape(title)}</th>' for title in head)
    return f'<table style="border-collapse:collapse"><tr>{titles}</tr>{body}</table>'


def _populations(region: Region) -> str:
    ports = region.ports
    rows = []
    for name, population in region.populations.items():
        expected = region.expected.get(name)
        rows.append(
            (
                f"<b>{escape(name)}</b>",
                f"{population.size:,}",
                escape(population.cell),
                population.transmitter,
                " ".join(text for text, of in (("in", ports.inputs), ("out", ports.outputs)) if name in of),
                f"{expected.low:g} to {expected.high:g} Hz" if expected else "",
            )
        )
    return _table(("population", "neurons", "cell", "releases", "port", "expected rate"), rows)


def _cells(region: Region) -> str:
    rows = (
        (
            f"<b>{escape(name)}</b>",
            escape(cell.model),
            escape(", ".join(cell.receptors)),
            _parameters(cell),
            _references(cell.references),
        )
        for name, cell in region.cells.items()
    )
    return _table(("cell", "model", "receptors", "parameters", "source"), rows)


def _parameters(cell: Cell) -> str:
    lines = [f"{escape(key)} = {escape(_value(value))}" for key, value in cell.parameters.items()]
    if len(lines) <= _MOST_LINES:
        return "<br>".join(lines)
    return f"<details><summary>{len(lines)} parameters</summary>{'<br>'.join(lines)}</details>"


def _projections(region: Region) -> str:
    if not region.projections:
        return ""
    names = list(region.populations)
    cells: dict[tuple[str, str], list[str]] = {}
    for projection in region.projections:
        cells.setdefault((projection.source, projection.target), []).append(_projection(projection))
    rows = (
        (f"<b>{escape(source)}</b>", *("<br>".join(cells.get((source, target), ["·"])) for target in names))
        for source in names
    )
    return _table(("source", *(f"→ {name}" for name in names)), rows)


def _projection(projection: Projection) -> str:
    receptors = ", ".join(projection.receptor)
    detail = f"{receptors}; weight {_value(projection.weight)}; delay {_value(projection.delay)}"
    if projection.plasticity is not None:
        detail += f"; plasticity {projection.plasticity.model}"
    return f'<span title="{escape(detail)}">{escape(_rule(projection.connect))} <i>{escape(receptors)}</i></span>'


def _rule(connect: Connect) -> str:
    """Return the rule in short: ``"p = 0.1"``."""
    match connect.rule:
        case "probability":
            return f"p = {connect.probability:g}"
        case "in_degree" | "out_degree" | "total" as rule:
            return f"{rule.replace('_', '-')} {getattr(connect, rule):,}"
        case "distance":
            assert connect.distance is not None
            return (
                f"p = {connect.distance.probability:g}, {connect.distance.kernel} {show(connect.distance.scale, 'mm')}"
            )
        case "pairs":
            assert connect.pairs is not None
            return f"{len(connect.pairs):,} pairs"
        case rule:
            return rule.replace("_", " ")


def _drives(region: Region) -> str:
    rows = (
        (
            f"<b>{escape(drive.population)}</b>",
            escape(drive.receptor),
            escape(drive.text),
        )
        for drive in region.drives
    )
    return _table(("population", "receptor", "input"), rows)


def _ports(region: Region) -> str:
    rows = [
        (
            f"<b>{escape(name)}</b>",
            "in",
            f"share {port.share:g}",
            escape(f"glutamate to {', '.join(port.glutamate)}; gaba to {', '.join(port.gaba)}"),
        )
        for name, port in region.ports.inputs.items()
    ]
    rows += [(f"<b>{escape(name)}</b>", "out", "", "") for name in region.ports.outputs]
    return _table(("population", "port", "of the synapses", "receptors"), rows)


def _references(references: Iterable[str]) -> str:
    return "<br>".join(_reference(reference) for reference in references)


def _reference(reference: str) -> str:
    """Return a reference, as a link where it is a DOI or an address."""
    text = reference.strip()
    doi = text.removeprefix("https://doi.org/").removeprefix("doi:").strip()
    if doi.startswith("10.") and "/" in doi and " " not in doi:
        return f'<a href="https://doi.org/{escape(quote(doi))}">{escape(doi)}</a>'
    if text.startswith(("https://", "http://")) and " " not in text:
        return f'<a href="{escape(text)}">{escape(text)}</a>'
    return escape(text)


def _value(value: str | float | Distribution | Explicit) -> str:
    if not isinstance(value, Distribution):
        return str(value)
    bounds = f", from {value.minimum}" if value.minimum is not None else ""
    bounds += f", to {value.maximum}" if value.maximum is not None else ""
    return f"{value.kind}({value.first}, {value.second}{bounds})"


def _mapping(brain: Brain, connectome: Connectome | None) -> str:
    counts = dict.fromkeys(brain.regions, 0)
    for pattern in first_patterns(brain.regions, connectome.labels if connectome is not None else ()).values():
        counts[pattern] += 1
    rows = []
    for pattern, region in brain.regions.items():
        known = (f"{counts[pattern]:,}", f"{counts[pattern] * region.n_neurons:,}") if connectome is not None else ()
        rows.append((f"<code>{escape(pattern)}</code>", escape(region.name), f"{region.n_neurons:,}", *known))
    head = ("pattern", "region", "neurons each", *(("nodes", "neurons") if connectome is not None else ()))
    return _table(head, rows)


def _long_range(brain: Brain) -> str:
    rule, n = brain.long_range, len(brain.projections)
    if rule is None and not n:
        return f'<div style="{_SOFT}">none: the regions are alone</div>'
    rows = []
    if rule is not None:
        proportional = " on average, in proportion to the row" if rule.proportional else ""
        rows.append(("in-degree", f"{rule.in_degree:,}{proportional}"))
        if rule.share is None:
            rows.append(("weight", escape(str(rule.weight))))
        else:
            rows.append(("share of the excitatory drive", f"{rule.share:g}"))
        if rule.inhibitory_weight is not None:
            rows.append(("inhibitory weight", escape(str(rule.inhibitory_weight))))
        rows.append(("speed", show(rule.speed, "mm/ms")))
    if n:
        rows.append(("declared one by one", f"{n:,} projection{'s' * (n != 1)}"))
    rows.append(("coupling", f"{brain.coupling:g}"))
    if rule is not None:
        rows.append(("normalisation", escape(brain.normalisation)))
    return _table(("", ""), rows)
