"""Write a brain to a folder: a workflow, and its regions, synapses and connectome beside it."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Any

from twinbrain.connectome.datasets import connectome_names
from twinbrain.connectome.load import load_connectome
from twinbrain.connectome.write import write_connectome
from twinbrain.exchange.files import written_whole
from twinbrain.paths import user_path
from twinbrain.spec.brain import Brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.toml import comment, toml_text
from twinbrain.spec.workflow import Run
from twinbrain.spec.write import encoded, plain_projections, write_region

WORKFLOW = "brain.toml"
_CONNECTOME, _PROJECTIONS, _REGIONS = "connectome.npz", "projections.npz", "regions"


def write_brain(
    brain: Brain, folder: str | Path, *, run: Run | None = None, overwrite: bool = False, note: str = ""
) -> Path:
    """Write a brain, whole or not at all.

    Parameters
    ----------
    brain : Brain
        What is written.
    folder : str or Path
        Where its files are put: ``brain.toml``, a workflow; ``regions``; ``connectome.npz``; and ``projections.npz``
        for the long arrays of the synapses between regions. They stay together, wherever the folder is. Files of drives
        stay where they are, named by whole paths. A region at a label with brackets (``"M[1]"``) is written under the
        pattern of that label alone (``"M[[]1]"``), so that at another connectome it stands nowhere else.
    run : Run, optional
        How the workflow runs it; delays that were trained ask for the time step of the training.
    overwrite : bool, optional
        Whether to replace a folder that exists: one that holds nothing but such a brain, whose files are as they were
        written, by their digests in ``written.json``. A symbolic link gives way, and what it points to stays.
    note : str, optional
        What the workflow begins with, as a comment of one line or several.

    Returns
    -------
    Path
        Of the workflow, which `load_workflow` and `simulate` take.

    Raises
    ------
    ExchangeError
        If the folder exists, holds anything else than a brain that was written there, or cannot be written.
    SpecError, ConnectomeError
        If the connectome is not found.
    """
    folder = user_path(folder)
    if not isinstance(brain.connectome, Connectome) and brain.connectome not in connectome_names():
        brain = brain.replace(connectome=load_connectome(brain.connectome))
    with written_whole(folder, overwrite=overwrite, folder=True) as part:
        data: dict[str, Any] = {"connectome": _connectome(brain, part)}
        plain = brain.model_dump(mode="json", exclude_defaults=True, exclude={"connectome", "regions", "projections"})
        data |= plain | {"regions": _regions(brain, part)}
        tables, packed = plain_projections(brain.projections, _PROJECTIONS)
        if packed is not None:
            (part / _PROJECTIONS).write_bytes(packed)
        if tables:
            data["projections"] = tables
        whole = {"name": re.sub(r"[^\w.-]", "_", brain.name or folder.name), "run": (run or Run()).to_dict()}
        whole = {key: value for key, value in whole.items() if value} | {"brain": data}
        text = comment(note) + toml_text(whole, frozenset({"brain"}))
        (part / WORKFLOW).write_bytes(encoded(text, "brain", "declare fewer projections between regions one by one"))
    return folder / WORKFLOW


def _connectome(brain: Brain, folder: Path) -> str:
    """Return what the workflow calls the connectome, which is written unless it ships under a name."""
    if not isinstance(brain.connectome, Connectome):
        return brain.connectome
    write_connectome(brain.connectome, folder / _CONNECTOME)
    return _CONNECTOME


def _regions(brain: Brain, folder: Path) -> dict[str, str]:
    """Write each region once, and return the file of each pattern."""
    (folder / _REGIONS).mkdir()
    files: dict[str, str] = {}
    for region in brain.regions.values():
        if region.name not in files:
            stem = _unused_stem(re.sub(r"[^\w-]", "_", region.name), [Path(file).stem for file in files.values()])
            files[region.name] = f"{_REGIONS}/{stem}.toml"
            write_region(region, folder / files[region.name])
    return {pattern: files[region.name] for pattern, region in brain.regions_for(_CONNECTOME).items()}


def _unused_stem(name: str, taken: list[str]) -> str:
    """Return the name, numbered if another is the same where files know no case."""
    folded = {other.casefold() for other in taken}
    candidates = (name if i == 1 else f"{name}_{i}" for i in count(1))
    return next(candidate for candidate in candidates if candidate.casefold() not in folded)
