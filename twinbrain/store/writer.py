"""The writer of a run: whole windows, each committed by one atomic write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zarr.abc.store import Store
from zarr.core.sync import sync

from twinbrain.errors import StoreError
from twinbrain.store.checkpoint import TAILS, Slot, other_slot
from twinbrain.store.claim import Claim
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.growing import GrowingArray
from twinbrain.store.layout import SLOTS
from twinbrain.store.location import Location
from twinbrain.store.parts import STATUSES
from twinbrain.store.root import Document, Root, parse, read_bytes, write_bytes
from twinbrain.store.rows import Rows, check_shape, rows_of
from twinbrain.store.together import together
from twinbrain.store.window import StateData, WindowData


class RunWriter:
    """Writes a run; made by `create_run` and `resume_run`.

    A commit writes rows beyond those that readers see and the checkpoint slot that is not valid, and then replaces the
    root document, which makes all of it seen. So a run that was killed, or whose disk was full, ends with a window.

    Parameters
    ----------
    location : Location
        Where the run lies.
    store : Store
        The store there.
    document : bytes
        Its root document, as stored.
    arrays : dict of str to GrowingArray
        Path of each growing array to it.
    claim : Claim, optional
        Asked before anything is written.
    notes : mapping, optional
        Attributes that the run has from the next commit on.
    """

    def __init__(
        self,
        location: Location,
        store: Store,
        document: bytes,
        arrays: dict[str, GrowingArray],
        claim: Claim | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self.path = location.place
        self._location = location
        self._store = store
        self._document = document
        self._root = root = parse(location, document)
        self._arrays = arrays
        self._claim, self._notes = claim, dict(notes or {})
        self._slots = {name: Slot(store, name) for name in SLOTS}
        self._groups = {name: node["attributes"] for name, node in root.nodes.items() if node["node_type"] == "group"}

    @property
    def committed(self) -> float:
        """Model time that is committed, in ms."""
        return float(self._root.attributes["committed"])

    @property
    def step(self) -> int:
        """First step that is not committed."""
        return round(self.committed / self._dt)

    @property
    def _dt(self) -> float:
        return float(self._root.attributes["dt"])

    def commit(self, window: WindowData, state: StateData, *, status: str = "running") -> None:
        """Add a window, and the state at its end.

        Parameters
        ----------
        window : WindowData
            What was recorded in it; it begins where the last one ended.
        state : StateData
            The state at its end.
        status : {"running", "interrupted", "failed", "complete"}
            Status of the run from then on.

        Raises
        ------
        StoreError
            If the window does not fit, someone else has changed the run, or the disk fails. What was committed stays
            as it was, and the same window can be committed again.
        """
        _check_status(status)
        rows = self._checked(window, state)
        with saying_what_is_safe(self._location, self.committed):
            self._check_claim()
            root = sync(self._written(rows, state, status))
            self._check_claim()  # writing takes a while
            sync(self._replace_root(root))
        for array in self._arrays.values():
            array.accept()

    def note(self, name: str, value: str) -> None:
        """Give the run an attribute, with the next commit; the first value that it is given stays."""
        if name not in self._root.attributes:
            self._root = self._root.with_attributes(**{name: value})

    def set_status(self, status: str) -> None:
        """Change the status of the run.

        Parameters
        ----------
        status : {"running", "interrupted", "failed", "complete"}
        """
        _check_status(status)
        with saying_what_is_safe(self._location, self.committed):
            self._check_claim()
            sync(self._replace_root(self._root.with_attributes(status=status)))

    def _checked(self, window: WindowData, state: StateData) -> Rows:
        if window.first_step != self.step or window.next_step <= window.first_step:
            raise StoreError(
                f"expected a window that begins at step {self.step}, found steps {window.first_step} to "
                f"{window.next_step}; commit windows in their order"
            )
        if state.step != window.next_step:
            raise StoreError(f"expected the state at step {window.next_step}, found step {state.step}; take it then")
        spikes = self._arrays.get("spikes/time_step")
        rows = rows_of(window, self._groups, dt=self._dt, n_spikes=spikes.n_rows if spikes else 0)
        for path, array in self._arrays.items():
            check_shape(path, rows[path], array.row_shape)
        return rows

    def _check_claim(self) -> None:
        if self._claim is not None:
            self._claim.check()

    async def _written(self, rows: Rows, state: StateData, status: str) -> Root:
        """Write a window beside what readers see, and return the root document that shows it."""
        await self._check_unchanged()
        slot = other_slot(self._root.attributes["checkpoint"])
        checkpoint: dict[str, Document] = {}

        async def write_checkpoint() -> None:
            checkpoint.update(await self._slots[slot].write(state))

        await together([write_checkpoint(), *(array.stage(rows[path]) for path, array in self._arrays.items())])
        # Of no other use than to tell these rows from those of an older copy, when the run is resumed.
        tails = {path: array.staged_tail_crc for path, array in sorted(self._arrays.items())}
        group = checkpoint[f"checkpoint/{slot}"]
        checkpoint[f"checkpoint/{slot}"] = group | {"attributes": group["attributes"] | {TAILS: tails}}
        nodes = {path: node for path, node in self._root.nodes.items() if not path.startswith("checkpoint/")}
        nodes |= {path: array.staged_document for path, array in self._arrays.items()} | checkpoint
        attributes: dict[str, Any] = {"status": status, "committed": state.step * self._dt, "checkpoint": slot}
        return Root(self._root.attributes | self._notes | attributes, nodes)

    async def _check_unchanged(self) -> None:
        if await read_bytes(self._location, self._store) != self._document:
            raise StoreError(
                f"expected the run as it was left, up to {self.committed:g} ms, found it changed or gone: "
                f"{self.path}; see whether another process writes it, and resume it once none does"
            )

    async def _replace_root(self, root: Root) -> None:
        document = root.encode()
        await write_bytes(self._store, document)
        self._root, self._document = root, document


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise StoreError(f"expected a status of {', '.join(STATUSES)}, found {status!r}; use one of them")
