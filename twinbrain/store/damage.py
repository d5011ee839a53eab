"""What is said of an object of a store that was changed, cut short or lost."""

from __future__ import annotations

from twinbrain.errors import StoreError


class DamageError(StoreError):
    """An object of a store that is not as it was written.

    Parameters
    ----------
    place : Location or str
        Where the store lies.
    key : str
        The object in it.
    expected, found : str
        What should be there, and what is.
    kind : str
        What is kept there: a run, a sweep, a training.
    """

    def __init__(self, place: object, key: str, expected: str, found: str, kind: str = "run") -> None:
        self.place, self.key, self.expected, self.found, self.kind = str(place), key, expected, found, kind
        super().__init__(
            f"{self.place}/{key}: expected {expected}, found {found}: the {kind} is damaged; restore this file from a "
            f"copy, or start the {kind} anew"
        )

    def __reduce__(self) -> tuple[type[DamageError], tuple[str, str, str, str, str]]:
        return type(self), (self.place, self.key, self.expected, self.found, self.kind)
