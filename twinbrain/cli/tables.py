"""Tables on the screen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.table import Table

from twinbrain.connectome.normalise import OF_WHOLE_ROWS

if TYPE_CHECKING:
    import xarray as xr

    from twinbrain.network.partition import Partition
    from twinbrain.network.plan import Plan
    from twinbrain.run.prepare import Prepared
    from twinbrain.run.sharded import Shards
    from twinbrain.spec.brain import Brain
    from twinbrain.spec.workflow import Run
    from twinbrain.store import Location, RunInfo

# From here on it is said how busy the machine is.
_MUCH_SLOWER = 1.5


def plan_table(prepared: Prepared, shards: Shards | None = None) -> Table:
    """Return what a run will need."""
    plan, run = prepared.plan, prepared.workflow.run
    return pairs(
        f"plan of {prepared.workflow.name}",
        {
            "regions": f"{plan.n_regions:,}",
            "neurons": f"{plan.n_neurons:,} in {plan.n_blocks} block{'s' if plan.n_blocks > 1 else ''}",
            "synapses": f"about {plan.n_synapses:,}",
            **_through_connectome(plan, prepared.workflow.brain),
            "model time": f"{run.duration / 1e3:g} s in steps of {run.dt:g} ms",
            "engine": f"{run.engine}{_where(run)}, seed {run.seed}",
            "memory": f"{plan.bytes_peak / 1e9:.2f} GB, of which synapses {size(plan.bytes_synapses)}, recorded "
            f"{size(plan.bytes_window)}",
            **({"memory of the device": f"{plan.bytes_device / 1e9:.2f} GB"} if run.device != "cpu" else {}),
            **({} if shards is None else {"shards": _shards(shards.partition(prepared), run.dt)}),
            "time": f"about {seconds(plan.seconds)} on one core{_busy(plan.seconds)}, and up to a minute to compile a "
            "model seen first",
            **({"note": "\n".join(plan.notes)} if plan.notes else {}),
        },
    )


def _busy(expected: float) -> str:
    """Return how long a time on one core may take where others compute too."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    slower = (load + 1) / cores
    if slower < _MUCH_SLOWER:
        return ""
    return f" (rather {seconds(expected * slower)} now: the load is {load:.1f}, on {cores} core{'s' * (cores > 1)})"


def _through_connectome(plan: Plan, brain: Brain) -> dict[str, str]:
    """Return what the connectome brings, and which setting changes nothing about it."""
    if (rule := brain.long_range) is None:
        return {}
    lowest, mean, highest = (f"{100 * share:.3g}" for share in (plan.share_lowest, plan.share, plan.share_highest))
    span = f" ({lowest} to {highest} % by region)" if lowest != highest else ""
    found = {"through the connectome": f"{mean} % of the excitatory drive{span}"} if plan.share else {}
    if not rule.proportional and brain.normalisation in OF_WHOLE_ROWS:
        text = f"{brain.normalisation!r} has no effect: every region has as many synapses (long_range.proportional)"
        found["normalisation"] = text
    return found


def _shards(cut: Partition, dt: float) -> str:
    sizes = ", ".join(f"{len(nodes)}" for nodes in cut.nodes[:8]) + (", …" if len(cut.nodes) > 8 else "")
    if cut.window is None:
        return f"{len(cut.nodes)} of {sizes} regions; no tract between them"
    return (
        f"{len(cut.nodes)} of {sizes} regions, at most {cut.balance:.2f} times the mean work; spikes exchanged every "
        f"{cut.window * dt:.3g} ms, about {cut.spikes:,.0f} a second"
    )


def _where(run: Run) -> str:
    return f" on {run.device} in {run.precision}" if run.engine == "torch" else ""


def info_table(info: RunInfo) -> Table:
    """Return what a run holds."""
    return pairs(
        str(info.path),
        {
            "workflow": info.workflow,
            "status": info.status,
            **({"broke down": info.breakdown} if info.breakdown else {}),
            "model time": f"{info.committed / 1e3:g} of {info.duration / 1e3:g} s",
            "neurons": f"{info.n_neurons:,}",
            "synapses": f"{info.n_synapses:,}",
            "spikes": "not recorded" if info.n_spikes is None else f"{info.n_spikes:,}",
            "engine": f"{info.engine}, seed {info.seed}",
            "on disk": size(info.n_bytes) if info.n_bytes else "unknown, since its server lists nothing",
            "spec": info.digest[:16],
            "written by": ", ".join(f"{name} {version}" for name, version in info.versions.items()),
        },
    )


def rows(summary: xr.Dataset) -> list[dict[str, Any]]:
    """Return a summary as a list of rows; what could not be reckoned is None."""
    dimension = str(next(iter(summary.sizes)))
    labels = summary[dimension].values if dimension in summary.coords else range(summary.sizes[dimension])
    return [
        {dimension: str(label)}
        | {
            str(name): None if value != value else value
            for name, array in summary.data_vars.items()
            for value in [array.values[i].item()]
        }
        for i, label in enumerate(labels)
    ]


def summary_table(summary: xr.Dataset, start: str | None = None) -> Table:
    """Return what a run did from a time on, a line for each family of regions or each population."""
    table = Table(title="what happened" if start is None else f"what happened from {start} on")
    titles = {"n_neurons": "neurons", "rate": "rate (Hz)", "cv_isi": "CV of intervals", "synchrony": "synchrony"}
    found = rows(summary)
    for i, key in enumerate(found[0]):
        table.add_column(titles.get(key, key), justify="left" if i == 0 else "right", overflow="fold")
    for row in found:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def pairs(title: str, values: dict[str, str]) -> Table:
    """Return names and what they stand for."""
    table = Table(title=title, show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")  # nothing is cut off, as names of files are long
    for name, value in values.items():
        table.add_row(name, value)
    return table


def listing(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of things by name, however narrow the screen: names are in one piece, and nothing is cut off."""
    table = Table()
    for i, head in enumerate(heads):
        longest = max((len(row[i]) for row in rows), default=0) if i == 0 else None
        table.add_column(head, min_width=longest, no_wrap=i == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def seconds(value: float) -> str:
    """Return a time as people say it."""
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def size(n_bytes: float) -> str:
    """Return a number of bytes as people say it: of two digits at least, and never 0 of what is there.

    Examples
    --------
    >>> size(0), size(1234), size(56789), size(1.2e6), size(3.4e8), size(5.6e9)
    ('0 bytes', '1.2 kB', '57 kB', '1.2 MB', '340 MB', '5.6 GB')
    """
    if n_bytes < 1000:
        return f"{n_bytes:.0f} byte{'s' * (round(n_bytes) != 1)}"
    unit, name = next((u, n) for u, n in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if n_bytes >= u)
    value = n_bytes / unit
    return f"{value:.1f} {name}" if value < 9.95 else f"{value:.0f} {name}"


def count(n: int, what: str) -> str:
    """Return how many there are of something, such as ``"1 point"`` and ``"1,024 points"``."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def complete(path: Location) -> str:
    """Return that nothing is left to do, which is told without reading all that is there."""
    return f"{path} is complete; nothing is left to do (whether all is as written: twinbrain check {quote(str(path))})"
