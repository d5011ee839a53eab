"""What a chunk unpacks to: looked at before it is unpacked, and then whether it does."""

from __future__ import annotations

import math

import numpy as np
from numcodecs import blosc  # type: ignore[import-untyped]
from numcodecs.vlen import VLenUTF8  # type: ignore[import-untyped]
from numcodecs.zstd import Zstd  # type: ignore[import-untyped]
from numpy.typing import NDArray

from twinbrain.store.nodes import TEXT, Document

Bytes = NDArray[np.uint8]

LARGEST_TEXTS = 2**28
"""Bytes of a chunk of texts, unpacked."""
_BYTES_OF_TEXT = 64
"""Of memory that a text takes beside its characters, about."""
_CHECKSUM_BYTES = 4
_ZSTD = 0xFD2FB528
_BLOSC_HEADER = 16


def memory_of(node: Document, chunk: Bytes) -> int:
    """Return how many bytes of memory a chunk, with its checksum, says that it takes unpacked, at most.

    Parameters
    ----------
    node : dict
        Metadata of the array.
    chunk : ndarray of uint8
        The chunk as stored.
    """
    shape, packer = _layout(node)
    n_bytes = max(0, _unpacked(chunk[:-_CHECKSUM_BYTES], packer))
    return n_bytes + _BYTES_OF_TEXT * math.prod(shape) if node["data_type"] == TEXT else n_bytes


def is_of_array(node: Document, chunk: Bytes) -> bool:
    """Return whether a chunk, with its checksum, unpacks to what the array's metadata say that it holds.

    A root document that was written by hand can name another type or shape; what unpacks to far more than it should
    would take memory without bound. A checksum that was written by hand can confirm what does not unpack.

    Parameters
    ----------
    node : dict
        Metadata of the array.
    chunk : ndarray of uint8
        The chunk as stored.
    """
    shape, packer = _layout(node)
    body, n = chunk[:-_CHECKSUM_BYTES], math.prod(shape)
    n_bytes = _unpacked(body, packer)
    if node["data_type"] == TEXT:
        return 4 <= n_bytes <= LARGEST_TEXTS and _are_texts(body, packer, n)
    return n_bytes == n * np.dtype(node["data_type"]).itemsize and _is_whole(body, packer, n_bytes)


def _layout(node: Document) -> tuple[list[int], str]:
    """Return the shape of a chunk, and the codec that packs it; the checksum, if none does."""
    (first, *_) = codecs = node["codecs"]
    shape = node["chunk_grid"]["configuration"]["chunk_shape"]
    if first["name"] == "sharding_indexed":
        shape, codecs = first["configuration"]["chunk_shape"], first["configuration"]["codecs"]
    return shape, codecs[1]["name"]


def _unpacked(body: Bytes, packer: str) -> int:
    """Return how many bytes a packed body says that it unpacks to, -1 if it does not say."""
    data = body[:_BLOSC_HEADER].tobytes()
    if packer == "crc32c":  # it is not packed
        return len(body)
    if packer == "blosc":
        is_whole = len(data) == _BLOSC_HEADER and int.from_bytes(data[12:16], "little") == len(body)
        return int.from_bytes(data[4:8], "little") if is_whole else -1
    if int.from_bytes(data[:4], "little") != _ZSTD or len(data) < 5:
        return -1
    # RFC 8878: a descriptor, a window unless all is one segment, the number of a dictionary, and the size.
    descriptor = data[4]
    one_segment, size_flag = descriptor >> 5 & 1, descriptor >> 6
    start = 5 + (1 - one_segment) + (0, 1, 2, 4)[descriptor & 3]
    length = (one_segment, 2, 4, 8)[size_flag]
    field = data[start : start + length]
    if not length or len(field) < length:
        return -1
    return int.from_bytes(field, "little") + (256 if length == 2 else 0)


def _is_whole(body: Bytes, packer: str, n_bytes: int) -> bool:
    """Return whether a packed body unpacks to so many bytes, by unpacking it."""
    try:
        return packer == "crc32c" or len(_decoded(body, packer)) == n_bytes
    except (ValueError, RuntimeError):
        return False


def _are_texts(body: Bytes, packer: str, n: int) -> bool:
    """Return whether a packed body holds so many texts, by unpacking it."""
    try:
        data = _decoded(body, packer)
        return int.from_bytes(data[:4], "little") == n and len(VLenUTF8().decode(data)) == n
    except (ValueError, RuntimeError):
        return False


def _decoded(body: Bytes, packer: str) -> bytes:
    data = body.tobytes()
    return data if packer == "crc32c" else bytes(blosc.decompress(data) if packer == "blosc" else Zstd().decode(data))
