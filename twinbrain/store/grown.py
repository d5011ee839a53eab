"""What a run has grown by: the arrays that its commits wrote anew, held against what the last one says of them."""

from __future__ import annotations

from zarr.abc.store import Store

from twinbrain.store.checkpoint import tail_crcs
from twinbrain.store.creation import GoneOnError
from twinbrain.store.damage import DamageError
from twinbrain.store.growing import GrowingArray
from twinbrain.store.location import Location
from twinbrain.store.root import Root, read_document
from twinbrain.store.verified import VerifiedStore

# How often a run is read that goes on meanwhile.
_ATTEMPTS = 20


def grown_arrays(store: Store, committed: VerifiedStore) -> dict[str, GrowingArray]:
    """Return the arrays of a run that grow, by their paths, with the rows that are committed.

    Raises
    ------
    DamageError
        If the rows of an object that is not full are not those of the last commit.
    """
    tails = tail_crcs(committed.root)
    return {path: GrowingArray.reopen(store, path, committed, tails.get(path)) for path in _growing(committed.root)}


def check_grown(location: Location) -> None:
    """Make sure that the objects which each commit writes anew are of the last one; a copy made meanwhile mixes them.

    Raises
    ------
    DamageError
        If one is of another commit.
    """
    store = location.store(read_only=True)
    for _ in range(_ATTEMPTS):
        document = read_document(location)
        try:
            grown_arrays(store, VerifiedStore(store, location, document))
        except GoneOnError:
            continue
        except DamageError:
            if read_document(location) != document:
                continue
            raise
        return


def _growing(root: Root) -> list[str]:
    """Return the paths of the arrays that grow."""
    return [
        path
        for path, node in root.nodes.items()
        if node["node_type"] == "array"
        and path.split("/")[0] in ("spikes", "rate", "state")
        and node["dimension_names"][0] in ("time", "spike", "window")
    ]
