"""What was derived of a model before, such as its step: to derive it takes a second, to read it a millisecond."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from twinbrain.cache import cache_root
from twinbrain.files import write_whole
from twinbrain.models.algebra import Statement

Program = TypeVar("Program")


def remembered(kind: type[Program], model: str, derive: Callable[[], Program]) -> Program:
    """Return what is derived of a model, from the cache if it is there.

    Parameters
    ----------
    kind : type
        A dataclass of texts, dicts of texts, and tuples of texts or statements.
    model : str
        All that the program follows from, besides the code that derives it.
    derive : callable
        Derives it.
    """
    key = hashlib.sha256(f"{kind.__name__}\n{_derivation()}\n{model}".encode()).hexdigest()[:32]
    path = cache_root() / "programs" / f"{key}.json"
    with suppress(OSError, ValueError, TypeError, KeyError):  # what is not there, or no program: derived anew
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        if digest == _digest(text):
            return _read(kind, json.loads(text))
    program = derive()
    text = json.dumps(asdict(program))  # type: ignore[call-overload]
    with suppress(OSError):  # a folder that cannot be written costs a second the next time
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole({path: f"{_digest(text)}\n{text}".encode()})
    return program


def _digest(text: str) -> str:
    """Return what tells a text from one that was damaged since."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _derivation() -> str:
    """Return what names the code that derives programs: that of equations, and of the libraries it is done with."""
    digest = hashlib.sha256()
    for name in ("brian2", "sympy", "mpmath"):
        digest.update(f"{name} {version(name)}\n".encode())
    root = Path(__file__).parent.parent
    for file in (root / "units.py", *(f for own in ("language", "models") for f in sorted((root / own).rglob("*.py")))):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read(kind: type[Program], data: dict[str, Any]) -> Program:
    values = {field.name: data[field.name] for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _frozen(value) for name, value in values.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(Statement(**item) if isinstance(item, dict) else item for item in value)
    return value
