"""The shape of a sweep's results, found before any point is run: that of a run in which nothing happens."""

from __future__ import annotations

from collections.abc import Mapping
from traceback import extract_tb

import xarray as xr

from twinbrain.errors import Problem, SpecError, TwinbrainError
from twinbrain.network.build import block_programs
from twinbrain.network.network import Network
from twinbrain.network.probes import lower_probes
from twinbrain.run.describe import network_summary, probe_layouts
from twinbrain.run.prepare import Prepared
from twinbrain.run.sweep.points import memory_run
from twinbrain.run.sweep.reductions import Reduction, alone, joined, reduce_run
from twinbrain.run.windows import silence
from twinbrain.spec.sweep import Sweep


def without_spikes(prepared: Prepared, sweep: Sweep, own: Mapping[str, Reduction]) -> dict[str, xr.DataArray]:
    """Return the reductions of a run without spikes: their shapes are those of every run.

    Raises
    ------
    SpecError
        If one fails.
    """
    layout, grid, record = prepared.layout, prepared.grid, prepared.workflow.record
    network = Network(grid.dt, 0, layout.populations, blocks=(), tables=(), drives=())
    probes = list(lower_probes(record, layout, block_programs(layout), grid.dt))
    connectome = prepared.workflow.brain.connectome.to_dataset()
    # Of a run that is not kept its spikes are at hand, recorded or not.
    spikes = record.spikes or not sweep.keep_runs
    summary, probed = network_summary(network, layout), probe_layouts(probes, layout)
    run = memory_run(prepared, summary, connectome, probed, spikes=spikes)
    run.commit(*silence(grid, len(layout.populations), probes), status="complete")
    tree = run.tree()
    parts = {}
    for name, given in alone(tree, sweep.reduce, own):
        try:
            parts[name] = reduce_run(given, {name: sweep.reduce[name]}, own)
        except TwinbrainError:
            raise
        except Exception as error:  # of a user's function
            where = extract_tb(error.__traceback__)[-1]
            message = (
                f"expected numbers of a run without spikes too, NaN if need be, found {type(error).__name__}: {error} "
                f"({where.filename}:{where.lineno})"
            )
            raise SpecError([Problem(f"sweep.reduce.{name}", message)]) from error
    return joined({name: parts[name] for name in sweep.reduce})
