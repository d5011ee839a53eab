"""The root document: attributes, and the metadata of every group and array that readers see.

Readers take it for the whole truth (zarr calls it consolidated metadata), so replacing it, which is one atomic write,
commits everything at once; what else lies in the store is not seen. It carries a checksum of itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.buffer import cpu, default_buffer_prototype

from twinbrain.errors import StoreError
from twinbrain.files.regular import FileError
from twinbrain.files.text import LARGEST_JSON, check_unicode, uncollected
from twinbrain.store.creation import CREATED
from twinbrain.store.damage import DamageError
from twinbrain.store.layout import FORMAT
from twinbrain.store.location import Location
from twinbrain.store.validate import check_root
from twinbrain.store.values import MOST_VALUES, Fault, n_values

KEY = "zarr.json"
CREATING = "creating"
# The sha256 of the document, with this many zeros in its place.
CHECKSUM = "checksum"
_BLANK = "0" * 64
_WRITTEN = re.compile(rb'"checksum": ?"([0-9a-f]{64})"')

Document = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of store.

    Parameters
    ----------
    name : str
        What it is called.
    mark : str
        The attribute that tells it, and holds the number of its format.
    stage : str
        The attribute that says `CREATING` until all of it is there.
    """

    name: str
    mark: str
    stage: str

    def is_of(self, attributes: Document) -> bool:
        """Return whether these are the attributes of such a store, of any format."""
        return self.mark in attributes

    def is_unfinished(self, attributes: Document) -> bool:
        """Return whether these are the attributes of such a store whose creation was interrupted."""
        return self.is_of(attributes) and attributes.get(self.stage) == CREATING


RUN = Kind("run", "twinbrain_format", "status")
SWEEP = Kind("sweep", "twinbrain_sweep", "state")
TRAINING = Kind("training", "twinbrain_training", "status")
KINDS = (RUN, SWEEP, TRAINING)


@dataclass(frozen=True)
class Root:
    """The root document of a store.

    Parameters
    ----------
    attributes : dict
        Attributes of the run, sweep or training.
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
        # Sorted, so that the same content is the same document; the checksum comes first, where nothing looks like it.
        # The creation follows, where it is found without the rest.
        first = [CREATED] if CREATED in self.attributes else []
        names = [*first, *sorted(set(self.attributes) - {*first})]
        attributes = {CHECKSUM: _BLANK} | {name: self.attributes[name] for name in names}
        document = json.dumps(
            {
                "zarr_format": 3,
                "node_type": "group",
                "attributes": attributes,
                "consolidated_metadata": consolidated,
            }
        ).encode()
        return document.replace(_BLANK.encode(), hashlib.sha256(document).hexdigest().encode(), 1)


def describe(node: zarr.Array[Any] | zarr.AsyncArray[Any] | zarr.Group | zarr.AsyncGroup) -> Document:
    """Return the metadata of a group or array."""
    buffers = node.metadata.to_buffer_dict(default_buffer_prototype())
    document: Document = json.loads(buffers[KEY].to_bytes())
    document.pop("consolidated_metadata", None)
    return document


async def read_bytes(location: Location, store: Store) -> bytes | None:
    """Return the root document as who writes it finds it, or None if there is none.

    Raises
    ------
    StoreError
        If it is no regular file, or a link, in whose place the next one would be put.
    """
    location.refuse_link(KEY)
    found = await location.fetch(store, KEY)
    return None if found is None else found.to_bytes()


async def write_bytes(store: Store, document: bytes) -> None:
    """Replace the root document atomically."""
    await store.set(KEY, cpu.Buffer.from_bytes(document))


def parse(location: Location, document: bytes, kind: Kind = RUN) -> Root:
    """Return the root document of a store of this kind and format.

    Raises
    ------
    StoreError
        If it is none, or damaged, or one that cannot be read here.
    """
    expected = f"a {kind.name}'s root document"
    if excess := _excess(document):
        most = f"{expected} of at most {MOST_VALUES:,} values that its checksum confirms"
        raise DamageError(location, KEY, most, excess, kind.name)
    if (fields := _parsed(document)) is None:
        raise DamageError(location, KEY, expected, "what cannot be read as JSON", kind.name)
    attributes, nodes = _split(fields)
    if not kind.is_of(attributes):
        others = [other.name for other in KINDS if other.is_of(attributes)]
        opened_with = {"run": "open_run", "sweep": "open_sweep", "training": "open_training"}
        remedy = f"open a {others[0]} with {opened_with[others[0]]}" if others else f"name the folder of a {kind.name}"
        raise StoreError(f"expected a twinbrain {kind.name}, found something else: {location}; {remedy}")
    if attributes[kind.mark] != FORMAT:
        version = attributes.get("twinbrain_version", "unknown")
        raise StoreError(
            f"expected a {kind.name} of format {FORMAT}, found format {attributes[kind.mark]}, written by twinbrain "
            f"{version}: {location}; open it with that version"
        )
    if not _is_intact(document):
        raise DamageError(location, KEY, f"{expected} as its checksum confirms it", "a changed one", kind.name)
    if kind.is_unfinished(attributes):
        raise StoreError(
            f"expected a {kind.name}, found one whose creation was interrupted: {location}; start the {kind.name} anew"
        )
    del attributes[CHECKSUM]
    try:
        if b"\\ud" in document.lower():
            check_unicode(fields)
    except FileError:
        raise DamageError(location, KEY, f"{expected} in Unicode", "a half of a surrogate pair", kind.name) from None
    try:
        check_root(kind.name, attributes, nodes)
    except Fault as fault:
        raise DamageError(location, KEY, fault.expected, fault.found, kind.name) from None
    return Root(attributes, nodes)


def attributes_of(document: bytes | None) -> Document:
    """Return the attributes of a root document as far as there are any, of whatever it is the root."""
    fields = None if document is None or _excess(document) else _parsed(document)
    return _split(fields or {})[0]


def nodes_in(document: bytes | None) -> Document:
    """Return the nodes of a root document as far as there are any, of whatever it is the root."""
    fields = None if document is None or _excess(document) else _parsed(document)
    return _split(fields or {})[1]


def kind_in(document: bytes | None) -> Kind | None:
    """Return of what kind of store a root document is, complete or not; None if it is of none of ours."""
    attributes = attributes_of(document)
    return next((kind for kind in KINDS if kind.is_of(attributes)), None)


def kind_of(location: Location) -> Kind | None:
    """Return what kind of store lies at a location, complete or not; None if it is none of ours or nothing."""
    return kind_in(location.read(KEY))


def read_document(location: Location, kind: Kind = RUN) -> bytes:
    """Return the root document at a location as stored, of whatever it is.

    Raises
    ------
    StoreError
        If there is none.
    """
    document = location.read(KEY)
    if document is not None:
        return document
    if not location.exists():
        raise StoreError(f"expected a {kind.name}, found nothing: {location}; check the path")
    if location.is_file():
        raise StoreError(f"expected a {kind.name}, found a file: {location}; name the folder of a {kind.name}")
    if location.is_free():
        raise StoreError(
            f"expected a {kind.name}, found an empty folder, maybe of an interrupted creation: {location}; start the "
            f"{kind.name} anew"
        )
    raise StoreError(
        f"{location}/{KEY}: expected a {kind.name}'s root document, found a folder without one; name the folder of a "
        f"{kind.name}, or restore the document from a copy"
    )


def _is_intact(document: bytes) -> bool:
    """Return whether a document is the one that its checksum confirms; it is not parsed."""
    if (found := _WRITTEN.search(document)) is None:
        return False
    digest = hashlib.sha256(document[: found.start(1)] + _BLANK.encode())
    digest.update(memoryview(document)[found.end(1) :])
    return digest.hexdigest() == found[1].decode()


def _excess(document: bytes) -> str:
    """Return why a document is not to be parsed, which takes many times its size: none of ours has so much."""
    if len(document) > LARGEST_JSON and not _is_intact(document):
        return f"another of {len(document):,} bytes"
    return f"{n:,}" if (n := n_values(document)) > MOST_VALUES else ""


def _parsed(document: bytes) -> Document | None:
    """Return the table that a document is as JSON, None if it is none."""
    try:
        with uncollected():
            fields = json.loads(document.decode())  # strictly, as json does not
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _split(fields: Document) -> tuple[Document, dict[str, Document]]:
    """Return the attributes and the nodes of a document, as far as there are any."""
    try:
        attributes = fields.get("attributes") or {}
        nodes = (fields.get("consolidated_metadata") or {}).get("metadata") or {}
        return dict(attributes), dict(nodes)
    except (ValueError, TypeError, AttributeError):
        return {}, {}
