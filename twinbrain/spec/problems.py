"""What is wrong with a declaration: each fault of the validation, with the place of its key and a plain sentence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from twinbrain.errors import Problem
from twinbrain.spec.suggest import suggestion

# Problems that are told of one file.
_MOST_SHOWN = 200


def reject(*problems: Problem) -> PydanticCustomError:
    """Return the error for a validator to raise when it has found faults at places of its own."""
    rows = [(problem.where, problem.message) for problem in problems]
    return PydanticCustomError("problems", "{text}", {"text": "; ".join(map(str, problems)), "rows": rows})


def first_problems(problems: Iterator[Problem]) -> list[Problem]:
    """Return as many problems as are told, and that there are more; those are not looked for."""
    found = list(islice(problems, _MOST_SHOWN))
    more = [Problem("", f"more problems, of which these are the first {_MOST_SHOWN}")] if next(problems, None) else []
    return [*more, *found]


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return what pydantic found wrong, in our words."""
    found: list[Problem] = []
    details = error.errors(include_url=False)
    if len(details) > _MOST_SHOWN:
        found.append(Problem("", f"{len(details):,} problems, of which these are the first {_MOST_SHOWN}"))
    for detail in details[:_MOST_SHOWN]:
        place = _place(detail["loc"])
        if detail["type"] == "problems":
            for where, message in detail["ctx"]["rows"]:
                found.append(Problem(".".join(part for part in (place, where) if part), message))
        else:
            found.append(Problem(place, _message(detail, model)))
    return found


def _place(loc: tuple[int | str, ...]) -> str:
    """Return the key as it is written: ``projections[0].weight``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    value = detail["input"]
    shown = repr(value) if len(repr(value)) < 80 else f"a {type(value).__name__}"
    match detail["type"]:
        case "extra_forbidden":
            known = _keys_at(model, detail["loc"][:-1])
            return f"unknown key {detail['loc'][-1]!r}; {suggestion(str(detail['loc'][-1]), known)}"
        case "missing":
            return "this key is required and missing; add it"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            text = detail["msg"]
            return f"{text[:1].lower()}{text[1:]}, found {shown}"


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the declaration at ``loc`` allows."""
    current: Any = model
    within_table = False
    for part in loc:
        if within_table or not isinstance(part, str) or current is None:
            within_table = False  # an index, or a name that the user gave
        elif part in current.model_fields:
            annotation = current.model_fields[part].annotation
            current = _model_within(annotation)
            within_table = getattr(annotation, "__origin__", None) is dict
    return list(current.model_fields) if current is not None else []


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (inner := _model_within(argument)) is not None:
            return inner
    return None
