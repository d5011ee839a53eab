"""What a run is, at a glance."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twinbrain.store.location import Location
from twinbrain.store.root import parse, read_document


@dataclass(frozen=True)
class RunInfo:
    """What a run is.

    Parameters
    ----------
    path : Path or str
        Its folder, or its URL.
    workflow, engine : str
        Names of its workflow and its engine.
    status : {"running", "interrupted", "failed", "complete"}
        A run that was killed is left as running; one that failed has broken down.
    breakdown : str
        Where and when a state stopped being finite; empty if none did.
    seed : int
        Seed of all draws.
    dt, duration, committed, window : float (ms)
        Time step, wanted duration, model time that is committed, and length of a window.
    n_neurons, n_synapses : int
        Size of the network.
    n_spikes : int or None
        Number of spikes; None if they are not recorded.
    probes : tuple of str
        Names of the probes.
    n_bytes : int
        Size on disk, of all that lies in the folder.
    n_bytes_of : dict of str to int
        Size on disk of each group.
    spec : str
        The declaration of the workflow, as JSON.
    digest : str
        Its digest.
    version : str
        Version of twinbrain that wrote it.
    versions : dict of str to str
        Versions of what else had a part in it.
    """

    path: Path | str
    workflow: str
    engine: str
    status: str
    breakdown: str
    seed: int
    dt: float
    duration: float
    committed: float
    window: float
    n_neurons: int
    n_synapses: int
    n_spikes: int | None
    probes: tuple[str, ...]
    n_bytes: int
    n_bytes_of: dict[str, int]
    spec: str
    digest: str
    version: str
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values that JSON can hold."""
        return asdict(self) | {"path": str(self.path), "probes": list(self.probes)}


def run_info(path: str | os.PathLike[str] | Location) -> RunInfo:
    """Return what the run at ``path`` is.

    Raises
    ------
    StoreError
        If there is no run of this format.
    """
    location = Location.of(path)
    root = parse(location, read_document(location))
    sizes = location.sizes()
    attributes, nodes = root.attributes, root.nodes
    probes = (name for name in nodes if name.startswith("state/") and name.count("/") == 1)
    groups = sorted({name.split("/")[0] for name in nodes})
    network = nodes["network"]["attributes"]
    return RunInfo(
        path=location.place,
        workflow=attributes["workflow"],
        engine=attributes["engine"],
        status=attributes["status"],
        breakdown=json.loads(attributes["breakdown"])["text"] if "breakdown" in attributes else "",
        seed=attributes["seed"],
        dt=attributes["dt"],
        duration=attributes["duration"],
        committed=attributes["committed"],
        window=attributes["window"],
        n_neurons=network["n_neurons"],
        n_synapses=network["n_synapses"],
        n_spikes=nodes["spikes/time_step"]["shape"][0] if "spikes" in nodes else None,
        probes=tuple(name.removeprefix("state/") for name in probes),
        n_bytes=sum(sizes.values()),
        n_bytes_of={name: sizes.get(name, 0) for name in groups},
        spec=attributes["spec"],
        digest=attributes["digest"],
        version=attributes["twinbrain_version"],
        versions=json.loads(attributes["versions"]),
    )
