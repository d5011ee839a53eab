"""What every declaration shares: frozen, no unknown keys, a canonical form and a digest."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Annotated, Any, Literal, Self, get_args, get_origin

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic._internal._model_construction import ModelMetaclass
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from twinbrain.errors import Problem, SpecError


class _SpecMeta(ModelMetaclass):
    """Turn pydantic's error into ours where a user constructs a declaration; nested ones keep their places."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except ValidationError as error:
            raise SpecError(_problems(error, cls)) from None  # type: ignore[arg-type]


class Spec(BaseModel, metaclass=_SpecMeta):
    """Base of all declarations."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _as_in_a_file(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None or type(value) in (int, float):
            return value
        if isinstance(value, os.PathLike):  # so that a declaration is the same however a path was given
            return os.fspath(value)
        # Python counts true as 1 and reads "2_0" as 20, and so would pydantic.
        field = cls.model_fields[info.field_name or ""]
        items = value if isinstance(value, list | tuple) else (value,)
        truth = next((item for item in items if isinstance(item, _TRUTH)), None)
        if truth is not None and not _takes_truth(field.annotation):
            raise ValueError(f"expected no truth value here, found {str(truth).lower()}")
        if isinstance(value, str) and _reads_as_number(value) and _of_numbers(field):
            raise ValueError(f"expected a number, found the text {value!r}; write it without quotes")
        if isinstance(value, dict | list | tuple) and _of_numbers(field):
            numbers_alone(value.values() if isinstance(value, dict) else value)
        return value

    @classmethod
    def parse(cls, data: Any, where: str = "", *, context: Any = None) -> Self:
        """Return the declaration that plain ``data`` (of TOML or JSON) describes.

        Parameters
        ----------
        data : dict
            Nested dicts, lists, strings and numbers.
        where : str, optional
            Name of the file, put before the key of each problem.
        context : Folder, optional
            Where the files lie that the data names; without it, names start from the working folder.

        Raises
        ------
        SpecError
            With every problem found.
        """
        try:
            return cls.model_validate(data, context=context)
        except ValidationError as error:
            found = list(dict.fromkeys([*_problems(error, cls), *cls._further_problems(data)]))
            raise SpecError(problem.within(where) for problem in found) from None

    @classmethod
    def _further_problems(cls, data: Any) -> list[Problem]:
        """Return problems that validation does not reach in ``data`` that has others already."""
        return []

    def replace(self, **changes: Any) -> Self:
        """Return the declaration with other values, checked as if it were made anew.

        Parameters
        ----------
        **changes
            By the names of its keys, such as ``brain.replace(coupling=0.5)``.

        Raises
        ------
        SpecError
            If a key is unknown, or a value is wrong.

        Examples
        --------
        >>> Pulses.parse({"amplitude": "1 nA", "width": "2 ms"}).replace(width="3 ms").width
        3.0
        """
        kept = {name: getattr(self, name) for name in self.model_fields_set if name not in changes}
        # A number stands in its unit, which only what is written of it tells.
        written = {name for name, value in kept.items() if _holds_numbers(value)}
        plain = self.model_dump(mode="json", include=written)
        return type(self)(**{name: plain.get(name, value) for name, value in kept.items()} | changes)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; with ``update``, what `replace` returns, which checks it."""
        return super().model_copy(deep=deep) if update is None else self.replace(**update)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data from which `parse` makes an equal declaration."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def digest(self) -> str:
        """The sha256 of what is declared, which names it.

        Defaults are left out, so that an option which a later version adds changes no name.
        """
        data = _in_order(self.model_dump(mode="json", exclude_defaults=True, context=IN_DIGEST))
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


_TRUTH = (bool, np.bool)

# The context of a dump that makes a digest: arrays stand in it by their own.
IN_DIGEST: dict[str, Any] = {"digest": True}

# Tables whose order counts: it numbers the neurons, and the first pattern that fits a label decides.
_ORDERED = {"populations", "regions"}


def _takes_truth(annotation: Any) -> bool:
    """Return whether a field may be true or false."""
    if get_origin(annotation) is Literal:
        return any(isinstance(value, bool) for value in get_args(annotation))
    return annotation in (bool, Any) or any(map(_takes_truth, get_args(annotation)))


def _of_numbers(field: FieldInfo) -> bool:
    """Return whether a field is a number, or holds numbers, and nothing of its own makes one of a text."""
    return _is_plain(field.metadata) and _are_numbers(field.annotation)


def _are_numbers(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_plain(annotation.__metadata__) and _are_numbers(annotation.__origin__)
    parts = [part for part in get_args(annotation) if part not in (type(None), ...)]
    if get_origin(annotation) is dict:
        del parts[0]  # keys are texts
    return annotation in (int, float) or (bool(parts) and all(map(_are_numbers, parts)))


def _reads_as_number(text: str) -> bool:
    with suppress(ValueError):
        float(text)
        return True
    return False  # pydantic says what it expects


def _is_plain(metadata: Iterable[Any]) -> bool:
    return not any(isinstance(part, BeforeValidator) for part in metadata)


def numbers_alone(values: Iterable[Any]) -> None:
    """Refuse truth values and texts among numbers.

    Raises
    ------
    ValueError
        If there is one; Python counts true as 1 and reads "2_0" as 20.
    """
    for value in values:
        if isinstance(value, _TRUTH) or (isinstance(value, str) and _reads_as_number(value)):
            raise ValueError(f"expected numbers, found {value!r} among them")


def _in_order(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            key: list(_in_order(value).items()) if key in _ORDERED and isinstance(value, dict) else _in_order(value)
            for key, value in data.items()
        }
    return [_in_order(item) for item in data] if isinstance(data, list) else data


def _holds_numbers(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
    return any(isinstance(item, float) for item in items)


def reject(*problems: Problem) -> PydanticCustomError:
    """Return the error for a validator to raise when it has found faults at places of its own."""
    rows = [(problem.where, problem.message) for problem in problems]
    return PydanticCustomError("problems", "{text}", {"text": "; ".join(map(str, problems)), "rows": rows})


def suggestion(found: str, known: Any) -> str:
    """Return the end of a message about an unknown name: the nearest known one, and all of them."""
    names = sorted(map(str, known))
    near = nearest(found, names)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {listed(names)}"


def listed(names: Sequence[str]) -> str:
    """Return names in a row, as many of them and as much of each as one can read."""
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    shown = ", ".join(
        name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names[:_MOST_NAMED]
    )
    return f"{shown or 'none'}{more}"


def nearest(found: str, names: Iterable[str], n: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the names written most like ``found``, the nearest first; long and very many are not compared."""
    if len(found) > _LONGEST_NAME:
        return []
    compared = islice((name for name in names if len(name) <= _LONGEST_NAME), _MOST_COMPARED)
    return difflib.get_close_matches(found, list(compared), n, cutoff)


# Names that a message lists, names that are compared, and characters of one: a comparison takes their square.
_MOST_NAMED = 100
_MOST_COMPARED = 1000
_LONGEST_NAME = 100

# Problems that are told of one file.
_MOST_SHOWN = 200


def first_problems(problems: Iterator[Problem]) -> list[Problem]:
    """Return as many problems as are told, and that there are more; those are not looked for."""
    found = list(islice(problems, _MOST_SHOWN))
    more = [Problem("", f"more problems, of which these are the first {_MOST_SHOWN}")] if next(problems, None) else []
    return [*more, *found]


def _problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
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
