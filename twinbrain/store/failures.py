"""What is said when the file system fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinbrain.errors import StoreError


@contextmanager
def saying_what_is_safe(path: Path, committed: float | None = None) -> Iterator[None]:
    """Turn an error of the file system into a `StoreError` that says what is safe and what to do.

    Parameters
    ----------
    path : Path
        The run.
    committed : float (ms), optional
        Model time that is committed; None while the run is being created.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        at = f" ({error.filename})" if error.filename else ""
        if committed is None:
            advice = "nothing was recorded; name a place that can be written to"
        else:
            advice = (
                f"all that was committed stays readable, up to {committed:g} ms; "
                f"make room or mend the disk, then resume the run from there"
            )
        raise StoreError(f"cannot write the run {path}: {reason}{at}; {advice}") from error
