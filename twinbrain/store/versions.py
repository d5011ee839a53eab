"""Versions of packages with which a store was begun, and those that are here."""

from __future__ import annotations

from collections.abc import Mapping

from twinbrain.errors import StoreError
from twinbrain.store.location import Location


def check_versions(
    location: Location,
    what: str,
    begun: Mapping[str, str],
    here: Mapping[str, str],
    remedy: str,
    resumed_with: Mapping[str, str] | None = None,
) -> None:
    """Make sure that who goes on with a store can come to the same bits.

    Parameters
    ----------
    location : Location
        The store.
    what : str
        What is kept there: a run, a sweep, a training.
    begun, here : mapping of str to str
        Versions with which it was begun, and those here of all that bits rest on.
    remedy : str
        What to do otherwise than to take the versions of before.
    resumed_with : mapping of str to str, optional
        Other versions that have gone on with it meanwhile.

    Raises
    ------
    StoreError
        If some differ; they are named.
    """
    mixed = [f"{name} {other}" for name, other in (resumed_with or {}).items() if name in here]
    if mixed:
        raise StoreError(
            f"{location}: expected a {what} of the versions that it was begun with, found that others have gone on "
            f"with it: {'; '.join(mixed)}; {remedy}"
        )
    if changed := [
        f"{name} {begun.get(name, 'unknown')}, found {own}" for name, own in here.items() if begun.get(name) != own
    ]:
        raise StoreError(
            f"{location}: expected the versions that this {what} was begun with: {'; '.join(changed)}; go on with "
            f"those, or {remedy}"
        )
