"""What every declaration shares: frozen, no unknown keys, a canonical form and a digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic._internal._model_construction import ModelMetaclass

from twinbrain.errors import Problem, SpecError
from twinbrain.spec.plain_numbers import check_plain, is_truth
from twinbrain.spec.plain_text import check_text
from twinbrain.spec.problems import problems_of


class _SpecMeta(ModelMetaclass):
    """Turn pydantic's error into ours where a user constructs a declaration; nested ones keep their places."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except ValidationError as error:
            raise SpecError(problems_of(error, cls)) from None  # type: ignore[arg-type]


class Spec(BaseModel, metaclass=_SpecMeta):
    """Base of all declarations."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _as_in_a_file(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, os.PathLike):  # so that a declaration is the same however a path was given
            value = os.fspath(value)
        field = cls.model_fields[info.field_name or ""]
        is_number = type(value) in (int, float) and not is_truth(field.annotation)
        if not is_number and (value is not None or field.annotation is bool):
            check_plain(value, field)
            check_text(value)
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
            found = list(dict.fromkeys([*problems_of(error, cls), *cls._further_problems(data)]))
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


# The context of a dump that makes a digest: arrays stand in it by their own.
IN_DIGEST: dict[str, Any] = {"digest": True}

# Tables whose order counts: it numbers the neurons, and the first pattern that fits a label decides.
_ORDERED = {"populations", "regions"}


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
