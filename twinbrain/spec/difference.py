"""What differs between two declarations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from twinbrain.spec.workflow import Workflow

_ABSENT = "nothing"
_MOST = 5


def changes(spec: str, workflow: Workflow) -> str:
    """Return what is another in a workflow than in the one that a store holds as JSON, in a line."""
    found = list(differences(json.loads(spec), json.loads(workflow.model_dump_json()))) or ["the order of its tables"]
    further = f"; and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + further


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Yield ``"key: this before, that now"`` for each value that differs between two nested dicts."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{where}.{key}" if where else str(key)
            if key == "sha256" and "file" in after:  # the key alone does not tell which file has changed
                inner = f"{inner} of {after['file']}"
            yield from differences(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{where}[{i}]")
    elif before != after:
        yield f"{where}: {_shown(before)} before, {_shown(after)} now"


def _shown(value: Any) -> str:
    text = value if value is _ABSENT else repr(value)
    return text if len(text) < 60 else f"{text[:57]}…"
