"""The root document: attributes, and the metadata of every group and array that readers see.

Readers take it for the whole truth (zarr calls it consolidated metadata), so replacing it, which is one atomic write,
commits everything at once; what else lies in the store is not seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.buffer import cpu, default_buffer_prototype

from twinbrain.errors import StoreError
from twinbrain.store.layout import FORMAT
from twinbrain.store.location import Location

KEY = "zarr.json"
CREATING = "creating"

Document = dict[str, Any]


@dataclass(frozen=True)
class Root:
    """The root document of a run.

    Parameters
    ----------
    attributes : dict
        Attributes of the run.
    nodes : dict of str to dict
        Path of each group and array to its metadata.
    """

    attributes: dict[str, Any]
    nodes: dict[str, Document]

    def with_attributes(self, **attributes: Any) -> Root:
        """Return the document with some attributes changed."""
        return replace(self, attributes=self.attributes | attributes)

    def encode(self) -> bytes:
        """Return the document as Zarr v3 JSON."""
        # Composed here, since zarr would consolidate the shapes that arrays have in the store, not those committed.
        # Sorted level by level, as zarr does and needs: it finds the children of a group in one run.
        nodes = {path: self.nodes[path] for path in sorted(self.nodes, key=lambda path: (path.count("/"), path))}
        consolidated = {"kind": "inline", "must_understand": False, "metadata": nodes}
        return json.dumps(
            {
                "zarr_format": 3,
                "node_type": "group",
                "attributes": self.attributes,
                "consolidated_metadata": consolidated,
            }
        ).encode()


def describe(node: zarr.Array[Any] | zarr.AsyncArray[Any] | zarr.Group | zarr.AsyncGroup) -> Document:
    """Return the metadata of a group or array."""
    buffers = node.metadata.to_buffer_dict(default_buffer_prototype())
    document: Document = json.loads(buffers[KEY].to_bytes())
    document.pop("consolidated_metadata", None)
    return document


async def read_bytes(store: Store) -> bytes | None:
    """Return the root document as stored, or None if there is none."""
    found = await store.get(KEY, default_buffer_prototype())
    return None if found is None else found.to_bytes()


async def write_bytes(store: Store, document: bytes) -> None:
    """Replace the root document atomically."""
    await store.set(KEY, cpu.Buffer.from_bytes(document))


def parse(location: Location, document: bytes) -> Root:
    """Return the root document of a run of this format.

    Raises
    ------
    StoreError
        If it is none, or one that cannot be read here.
    """
    attributes, nodes = _fields(document)
    if "twinbrain_format" not in attributes:
        raise StoreError(f"expected a twinbrain run, found something else: {location}; name the folder of a run")
    if attributes["twinbrain_format"] != FORMAT:
        version = attributes.get("twinbrain_version", "unknown")
        raise StoreError(
            f"expected a run of format {FORMAT}, found format {attributes['twinbrain_format']}, written by twinbrain "
            f"{version}: {location}; open it with that version"
        )
    if attributes.get("status") == CREATING:
        raise StoreError(f"expected a run, found one whose creation was interrupted: {location}; start the run anew")
    return Root(attributes, nodes)


def is_run(document: bytes | None) -> bool:
    """Return whether this is the root document of a twinbrain run of any format."""
    return "twinbrain_format" in _fields(document)[0]


def is_unfinished(document: bytes | None) -> bool:
    """Return whether this is the root document of a run whose creation was interrupted."""
    attributes = _fields(document)[0]
    return "twinbrain_format" in attributes and attributes.get("status") == CREATING


def read_document(location: Location) -> bytes:
    """Return the root document at a location as stored, of whatever it is.

    Raises
    ------
    StoreError
        If there is nothing.
    """
    document = location.read(KEY)
    if document is not None:
        return document
    if not location.exists():
        raise StoreError(f"expected a run, found nothing: {location}; check the path")
    if location.is_free() and not location.is_file():
        raise StoreError(
            f"expected a run, found an empty folder, maybe of an interrupted creation: {location}; start the run anew"
        )
    return b""


def _fields(document: bytes | None) -> tuple[dict[str, Any], dict[str, Document]]:
    try:
        fields = json.loads(document or b"{}")
        attributes = fields.get("attributes") or {}
        nodes = (fields.get("consolidated_metadata") or {}).get("metadata") or {}
        return dict(attributes), dict(nodes)
    except (ValueError, TypeError, AttributeError):
        return {}, {}
