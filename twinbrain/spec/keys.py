"""Keys as they are written: ``brain.regions."TM-*".scale``."""

from __future__ import annotations

import re

from twinbrain.errors import SpecError
from twinbrain.spec.brain import Brain
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.workflow import Run, Workflow

Place = tuple[str, ...]
"""Where a key leads: names from the root of a workflow on, patterns and other names of the same thing resolved."""

_PART = r"""(?:"([^"]*)"|'([^']*)'|([^."']*))"""


def key_parts(key: str) -> list[str]:
    """Return the parts of a key, one of them empty if it is none; a quoted part may hold dots."""
    if not re.fullmatch(rf"{_PART}(\.{_PART})*", key):
        return [""]
    return ["".join(found) for found in re.findall(rf"(?:^|\.){_PART}", key)]


def full_key(key: str) -> list[str]:
    """Return the parts of a key from the root of a workflow on.

    Raises
    ------
    SpecError
        If it is no key, or begins with nothing that a workflow has.
    """
    parts = key_parts(key)
    if not all(parts):
        raise SpecError("expected a key such as coupling or regions.cortex/column.parameters.b")
    if parts[0] in Workflow.model_fields:
        return parts
    for table, model in (("run", Run), ("brain", Brain)):
        if parts[0] in model.model_fields:
            return [table, *parts]
    known = {*Workflow.model_fields, *Run.model_fields, *Brain.model_fields}
    raise SpecError(f"unknown key {parts[0]!r}; {suggestion(parts[0], known)}")
