"""Versions of packages with which a store was begun, and those that are here."""

from __future__ import annotations

from collections.abc import Mapping

from twinbrain.errors import StoreError
from twinbrain.store.location import Location


def check_versions(
    location: Location, what: str, begun: Mapping[str, str], here: Mapping[str, str], remedy: str
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

    Raises
    ------
    StoreError
        If some differ; they are named.
    """
    if changed := [
        f"{name} {begun.get(name, 'unknown')}, found {own}" for name, own in here.items() if begun.get(name) != own
    ]:
        raise StoreError(
            f"{location}: expected the versions that this {what} was begun with: {'; '.join(changed)}; go on with "
            f"those, or {remedy}"
        )
