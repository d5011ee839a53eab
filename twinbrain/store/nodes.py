"""Metadata of groups and arrays: those that our stores write, and no others, since zarr believes what they say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twinbrain.store.values import Fault, items, number, of_table, shown, table, text, whole

Document = dict[str, Any]

TEXT = "string"
LARGEST_CHUNK = 2**31
"""Bytes of a chunk, unpacked: what blosc can hold at most."""
MOST_CHUNKS = 2**24
"""Chunks of all arrays of a store."""
MOST_TEXTS = 2**22
"""Texts of a chunk."""
_MOST_NODES = 100_000
_MOST_DIMENSIONS = 32
_LONGEST_NAME = 255
_NUMBERS = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)
_GROUP = {"node_type", "zarr_format", "attributes"}
_ARRAY = _GROUP | {"shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs"}
_MAY_LACK = {"dimension_names", "storage_transformers"}
_KEYS = {"name": "default", "configuration": {"separator": "/"}}
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_BLOSC = ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd")
_SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")


def check_nodes(nodes: dict[str, Any]) -> None:
    """Make sure that zarr and xarray take the groups and arrays for what our stores hold.

    Raises
    ------
    Fault
        At the first that no store of ours has.
    """
    if len(nodes) > _MOST_NODES:
        raise Fault(f"at most {_MOST_NODES} groups and arrays", f"{len(nodes)}")
    n_chunks = 0
    for path, node in nodes.items():
        _check_path(path)
        what = shown(path)
        node_type = text(of_table(table(node, what), "node_type", what), f"the type of {what}", ("group", "array"))
        if node_type == "group":
            _check_keys(node, _GROUP, set(), what)
        else:
            _check_keys(node, _ARRAY, _MAY_LACK, what)
            n_chunks += _check_array(node, what)
        whole(node["zarr_format"], f"the format of {what}", 3, 3)
        table(node["attributes"], f"the attributes of {what}")
    if n_chunks > MOST_CHUNKS:
        raise Fault(f"arrays of at most {MOST_CHUNKS} chunks together", f"{shown(n_chunks)}")
    for path in nodes:
        parent = path.rpartition("/")[0]
        if parent and nodes.get(parent, {}).get("node_type") != "group":
            raise Fault(f"a group that {shown(path)} lies in", "none")


def is_name(part: str) -> bool:
    """Return whether a group or an array of a store can be called so."""
    return part not in ("", ".", "..") and len(part) <= _LONGEST_NAME and "\\" not in part and part.isprintable()


def _check_path(path: str) -> None:
    if not all(map(is_name, path.split("/"))):
        raise Fault("names of groups and arrays that lie in the store", shown(path))


def _check_keys(node: Document, needed: set[str], allowed: set[str], what: str) -> None:
    if lacking := sorted(needed - set(node)):
        raise Fault(f"{lacking[0]} in the metadata of {what}", "none")
    if unknown := sorted(set(node) - needed - allowed):
        raise Fault(f"metadata of {what} as this version writes them", shown(unknown[0]))


def _check_array(node: Document, what: str) -> int:
    """Check the metadata of an array, and return the number of its chunks."""
    data_type = text(node["data_type"], f"the data type of {what}", (*_NUMBERS, TEXT))
    shape = _lengths(node["shape"], f"the shape of {what}", 0)
    grid = node["chunk_grid"]
    if not isinstance(grid, dict) or grid.get("name") != "regular" or set(grid) != {"name", "configuration"}:
        raise Fault(f"regular chunks in {what}", shown(grid))
    pieces = _lengths(
        of_table(table(grid["configuration"], "the chunk grid"), "chunk_shape", what), f"the chunks of {what}", 1
    )
    given = node.get("dimension_names")
    names = items([] if given is None else given, f"dimensions of {what}")
    if not all(isinstance(name, str) and name for name in names):
        raise Fault(f"texts as the dimensions of {what}", "others")
    if not len(pieces) == len(names) == len(shape):
        raise Fault(f"as many dimensions of {what} as lengths and chunks", "others")
    if node["chunk_key_encoding"] != _KEYS or node.get("storage_transformers", []) != []:
        raise Fault(f"chunks of {what} under the names that this version gives them", "others")
    _check_fill(node["fill_value"], data_type, what)
    _check_packing(node["attributes"], what)
    chunk, n_in_piece = _check_codecs(node["codecs"], data_type, pieces, what)
    itemsize = 1 if data_type == TEXT else np.dtype(data_type).itemsize
    if math.prod(chunk) * itemsize > LARGEST_CHUNK:
        raise Fault(f"chunks of at most {LARGEST_CHUNK} bytes in {what}", shown(math.prod(chunk) * itemsize))
    if data_type == TEXT and math.prod(chunk) > MOST_TEXTS:
        raise Fault(f"chunks of at most {MOST_TEXTS:,} texts in {what}", shown(math.prod(chunk)))
    n_pieces = math.prod(-(-length // piece) for length, piece in zip(shape, pieces, strict=True))
    # A shard is held whole once it is written, however few rows it has.
    return max(n_pieces, 1) * n_in_piece


def _lengths(value: object, what: str, least: int) -> tuple[int, ...]:
    found = tuple(whole(length, what, least) for length in items(value, what))
    if len(found) > _MOST_DIMENSIONS:
        raise Fault(f"at most {_MOST_DIMENSIONS} dimensions as {what}", f"{len(found)}")
    return found


def _check_fill(value: object, data_type: str, what: str) -> None:
    what = f"the fill value of {what}"
    if data_type == TEXT:
        text(value, what)
    elif data_type == "bool":
        if not isinstance(value, bool):
            raise Fault(f"true or false as {what}", shown(value))
    elif data_type.startswith("float"):
        if value not in _NOT_FINITE:
            number(value, what)
    else:
        limits = np.iinfo(data_type)
        whole(value, what, int(limits.min), int(limits.max))


def _check_packing(attributes: object, what: str) -> None:
    """Check the attributes by which xarray turns what is stored into other numbers."""
    own = table(attributes, f"the attributes of {what}")
    for key in ("scale_factor", "add_offset"):
        if key in own:
            number(own[key], f"{key} of {what}")


def _check_codecs(codecs: object, data_type: str, pieces: tuple[int, ...], what: str) -> tuple[tuple[int, ...], int]:
    """Check how an object is encoded; return the shape of a chunk, and the number of them in an object."""
    first, *others = _named(codecs, what)
    if first[0] != "sharding_indexed":
        _check_chain([first, *others], data_type, what)
        return pieces, 1
    shard = first[1]
    if others or set(shard) != {"chunk_shape", "codecs", "index_codecs", "index_location"}:
        raise Fault(f"shards of {what} as this version writes them", "others")
    chunk = _lengths(shard["chunk_shape"], f"the chunks of {what}", 1)
    if len(chunk) != len(pieces) or any(n % own for n, own in zip(pieces, chunk, strict=True)):
        raise Fault(f"shards of {what} that hold whole chunks", "others")
    _check_chain(_named(shard["codecs"], what), data_type, what)
    if shard["index_location"] != "end" or [name for name, _ in _named(shard["index_codecs"], what)] != [
        "bytes",
        "crc32c",
    ]:
        raise Fault(f"an index with a checksum at the end of the shards of {what}", "another")
    _check_chain(_named(shard["index_codecs"], what), "uint64", what)
    return chunk, math.prod(n // own for n, own in zip(pieces, chunk, strict=True))


def _named(codecs: object, what: str) -> list[tuple[str, Document]]:
    found = []
    for codec in items(codecs, f"the codecs of {what}"):
        if not isinstance(codec, dict) or not set(codec) <= {"name", "configuration"}:
            raise Fault(f"codecs with a name in {what}", shown(codec))
        name = text(codec.get("name"), f"the name of a codec of {what}")
        found.append((name, table(codec.get("configuration", {}), f"the configuration of {shown(name)}")))
    if not found:
        raise Fault(f"codecs in {what}", "none")
    return found


def _check_chain(chain: list[tuple[str, Document]], data_type: str, what: str) -> None:
    """Check what turns a chunk into bytes: a serialiser, at most one compressor, and a checksum."""
    names = [name for name, _ in chain]
    serialiser = "vlen-utf8" if data_type == TEXT else "bytes"
    packers = ("zstd",) if data_type == TEXT else ("zstd", "blosc")
    if names not in ([serialiser, "crc32c"], *([serialiser, packer, "crc32c"] for packer in packers)):
        expected = f"the codecs {serialiser}, at most one of {' and '.join(packers)}, and crc32c"
        raise Fault(f"{expected} in {what}", shown(", ".join(names)))
    for name, given in chain:
        if not _CONFIGURED[name](given, data_type):
            raise Fault(f"the codec {name} of {what} as this version configures it", "another")


def _is_bytes(given: Document, data_type: str) -> bool:
    wanted = () if np.dtype(data_type).itemsize == 1 else ("little", "big")
    return set(given) <= {"endian"} and (given.get("endian") in wanted if wanted else True)


def _is_zstd(given: Document, data_type: str) -> bool:
    level, checksum = given.get("level"), given.get("checksum", False)
    known = set(given) <= {"level", "checksum"}
    return known and type(level) is int and -100 < level < 23 and isinstance(checksum, bool)


def _is_blosc(given: Document, data_type: str) -> bool:
    return (
        set(given) == {"typesize", "cname", "clevel", "shuffle", "blocksize"}
        and given["typesize"] == np.dtype(data_type).itemsize
        and given["cname"] in _BLOSC
        and type(given["clevel"]) is int
        and 0 <= given["clevel"] < 10
        and given["shuffle"] in _SHUFFLES
        and type(given["blocksize"]) is int
        and 0 <= given["blocksize"] < LARGEST_CHUNK
    )


_CONFIGURED = {
    "bytes": _is_bytes,
    "vlen-utf8": lambda given, data_type: not given,
    "crc32c": lambda given, data_type: not given,
    "zstd": _is_zstd,
    "blosc": _is_blosc,
}
