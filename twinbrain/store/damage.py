"""What is said of an object of a store that was changed, cut short or lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twinbrain.errors import StoreError, TwinbrainError
from twinbrain.language.tokens import printable

_SHOWN = 200


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


@contextmanager
def reading(place: object, key: str, kind: str = "run") -> Iterator[None]:
    """Turn what zarr, xarray and codecs raise of a store into one clear error.

    A root document and checksums that fit each other can still be of no store of ours, and libraries raise errors of
    every kind then; so only their calls belong into the context, lest faults of our own are hidden.

    Parameters
    ----------
    place : Location or str
        Where the store lies.
    key : str
        What of it is read.
    kind : str
        What is kept there: a run, a sweep, a training.

    Raises
    ------
    StoreError
        In place of any error that is not of this package.
    """
    try:
        yield
    except TwinbrainError:
        raise
    except OSError as error:
        reason = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
        raise StoreError(f"cannot read the {kind} {place}: {reason}; check that its files can be read") from error
    except MemoryError:
        raise StoreError(
            f"{place}/{key}: expected what fits into memory, found more than there is; read the {kind} in parts, or on "
            "a larger machine"
        ) from None
    except Exception as error:
        said = printable(" ".join(str(error).split()))[:_SHOWN] or type(error).__name__
        raise DamageError(place, key, "what can be read as it was written", f"a fault ({said})", kind) from error
