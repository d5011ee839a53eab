"""What is said when a write fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twinbrain.errors import StoreError
from twinbrain.store.location import Location
from twinbrain.store.outages import RemoteError


@contextmanager
def saying_what_is_safe(location: Location, committed: float | str | None = None, what: str = "run") -> Iterator[None]:
    """Turn an error of the disk or of a URL into a `StoreError` that says what is safe and what to do.

    Parameters
    ----------
    location : Location
        Where it lies.
    committed : float (ms) or str, optional
        Model time that is committed, or what is; None while the store is being created.
    what : str
        What is kept there: a run, a sweep, a training.
    """
    try:
        yield
    except RemoteError as error:
        raise StoreError(_failed(location, error.reason, committed, error.remedy, what)) from error
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        at = f" ({error.filename})" if error.filename else ""
        remedy = "name a place that can be written to" if committed is None else "make room or mend the disk"
        raise StoreError(_failed(location, f"{reason}{at}", committed, remedy, what)) from error


def _failed(location: Location, reason: str, committed: float | str | None, remedy: str, what: str) -> str:
    if committed is None:
        advice = f"nothing was recorded; {remedy}"
    elif isinstance(committed, str):
        advice = f"{committed} stays readable; {remedy}, then resume it"
    else:
        safe = f"all that was committed stays readable, up to {committed:g} ms"
        advice = f"{safe}; {remedy}, then resume the run from there"
    return f"cannot write the {what} {location}: {reason}; {advice}"
