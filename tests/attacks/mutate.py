"""Mutations of files: of bytes, of words and numbers in texts, of entries in zips, of objects in HDF5."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

CANARY = "canary"
"""A file of this name appears in the working folder if any of the texts below is ever run as code."""
_CODE = f"__import__('pathlib').Path('{CANARY}').touch()"
_NUMBERS = (
    *("0", "-1", "1e400", "-1e400", "nan", "inf", "1e-300", "1000000000000", "18446744073709551616", "0x10", "1_0"),
    *("9" * 400, "1e12", "0.1.2", "--1", "true", '"1"', "[]", "{}", "[1, [2]]", "[{}]", "{ a = 1 }", "2026-01-01"),
)
_TEXTS = (
    *(
        "",
        " ",
        "x" * 5000,
        "../../../etc/passwd",
        "/dev/zero",
        "/dev/stdin",
        "~",
        "\\u0000",
        "a.b.c",
        "*",
        "[",
        "][",
        "**",
    ),
    *("1e999 mV", "nan ms", "-1 ms", "0 ms", "10**10**10 mV", "1 furlong", "NULL", "é\u202e", "%s%n", "$A$A", "${B}"),
    *(_CODE, f"exp('{_CODE}')", "os:system", f"os:system('touch {CANARY}')", "os.py:system", "!!python/object:x"),
)


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Return bytes with some of them flipped, taken out, doubled, put in or cut off."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        place = random.randrange(len(out) + 1)
        length = random.choice((1, 1, 2, 4, 8, 64, 1000))
        match random.randrange(6):
            case 0 if out:
                out[place % len(out)] ^= 1 << random.randrange(8)
            case 1:
                del out[place : place + length]
            case 2:
                out[place:place] = out[place : place + length]
            case 3:
                out[place:place] = random.randbytes(length)
            case 4:
                out[place : place + length] = random.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * length
            case _ if random.random() < 0.3:
                del out[place:]
    return bytes(out)


def mutated_text(data: bytes, random: Random) -> bytes:
    """Return a text with a number, a quoted text, a word or a line in it replaced, or its bytes mutated."""
    if random.random() < 0.25:
        return mutated_bytes(data, random)
    text = data.decode(errors="replace")
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kind = random.randrange(5)
        if kind < 3:
            pattern = (r"(?<![\w.])-?\d[\d.e+-]*", r'"[^"\n]*"', r"\b[A-Za-z_]\w*\b")[kind]
            found = list(re.finditer(pattern, text))
            if not found:
                continue
            at = random.choice(found)
            new = random.choice(_NUMBERS if kind == 0 else _TEXTS)
            if kind == 1 and random.random() < 0.7:
                new = json.dumps(new) if random.random() < 0.8 else random.choice(_NUMBERS)
            elif kind == 2:
                new = random.choice(found).group()
            text = text[: at.start()] + new + text[at.end() :]
        else:
            lines = text.splitlines(keepends=True) or [""]
            i, j = random.randrange(len(lines)), random.randrange(len(lines))
            match random.randrange(4):
                case 0:
                    lines[i : i + random.choice((1, 1, 3))] = []
                case 1:
                    lines.insert(j, lines[i])
                case 2:
                    lines[i], lines[j] = lines[j], lines[i]
                case _:
                    lines[i] = random.choice(("\ufeff", "[" * 2000, "[a.b]\n", "a." * 100, "#", "\t")) + lines[i]
            text = "".join(lines)
    return text.encode(errors="surrogatepass")


def mutated_root(data: bytes, random: Random) -> bytes:
    """Return a store's root document with a text in it mutated; of most, the checksum fits what they have become."""
    mutated = mutated_text(data, random)
    found = re.search(rb'"checksum": "([^"]*)"', mutated)
    if found is None or random.random() < 0.3:
        return mutated
    blank = mutated[: found.start(1)] + b"0" * 64 + mutated[found.end(1) :]
    return mutated[: found.start(1)] + hashlib.sha256(blank).hexdigest().encode() + mutated[found.end(1) :]


def mutated_zip(data: bytes, random: Random) -> bytes:
    """Return a zip with its bytes mutated, or one of its entries changed, renamed or left out."""
    if random.random() < 0.4:
        return mutated_bytes(data, random)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(list(entries))
    entry = entries.pop(name)
    match random.randrange(6):
        case 0:
            name += random.choice(("", ".mat", ".bz2", "/", "x"))
        case 1:
            return _zipped(entries, random)
        case 2 if entry.startswith(b"\x93NUMPY"):
            head, tail = entry[:10], entry[10:]
            entry = (
                head
                + re.sub(rb"\d+", random.choice(_NUMBERS).encode(), tail[:118], count=1)[:118].ljust(118)
                + tail[118:]
            )
        case _:
            entry = mutated_bytes(entry, random) if b"\0" in entry else mutated_text(entry, random)
    return _zipped(entries | {name: entry}, random)


def _zipped(entries: dict[str, bytes], random: Random) -> bytes:
    buffer = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    return buffer.getvalue()


def mutated_hdf5(data: bytes, random: Random) -> bytes:
    """Return an HDF5 file with its bytes mutated, or an object or an attribute of it replaced or linked elsewhere."""
    if random.random() < 0.4:
        return mutated_bytes(data, random)
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        for _ in range(random.choice((1, 1, 2))):
            names: list[str] = []
            file.visit(names.append)
            if names:
                _replace(file, random.choice(names), random)
    return buffer.getvalue()


def _replace(file: Any, name: str, random: Random) -> None:
    kind = random.randrange(9)
    if kind == 0 and list(file[name].attrs):
        file[name].attrs[random.choice(list(file[name].attrs))] = random.choice(_values(random))
        return
    is_read = isinstance(file[name], h5py.Dataset) and file[name].size < 10**6  # it may be mutated already
    old = file[name][()] if is_read else None
    if kind < 4 and old is not None and np.size(old) and np.asarray(old).dtype.kind in "iuf":
        new = np.array(old)
        flat = new.reshape(-1)
        choices = (-1, 0, 7, 2**31 - 1) if new.dtype.kind == "i" else (0, 7, 2**31 - 1)
        extremes = (-1.0, 0.0, 1e300, 2.0**62, np.nan, np.inf)
        flat[random.randrange(flat.size)] = random.choice(extremes if new.dtype.kind == "f" else choices)
        del file[name]
        file[name] = new
        return
    del file[name]
    match kind:
        case 4:
            file[name] = h5py.SoftLink("/")
        case 5:
            file[name] = h5py.ExternalLink("other.h5", "/")
        case 6:
            file[name] = file["/"]
        case 7:
            file.create_dataset(name, (2**40,), "f8", chunks=(2**16,), compression="gzip")
        case _ if random.random() < 0.7:
            value = random.choice(_values(random))
            if value is None:
                file.create_group(name)
            else:
                file[name] = value


def _values(random: Random) -> list[Any]:
    return [
        np.arange(random.randrange(5)),
        np.zeros((2, 3)),
        -1.0,
        np.nan,
        2**62,
        np.array([1 + 2j]),
        random.choice(_TEXTS).replace("\\u0000", ""),
        np.array([b"ab", b"c"]),
        np.zeros(0),
        np.array([True]),
        None if random.random() < 0.5 else np.array(3, np.int8),
    ]


MUTATORS = {
    ".toml": mutated_text,
    ".json": mutated_text,
    ".csv": mutated_text,
    ".tsv": mutated_text,
    ".txt": mutated_text,
    ".graphml": mutated_text,
    ".zip": mutated_zip,
    ".npz": mutated_zip,
    ".h5": mutated_hdf5,
    ".nir": mutated_hdf5,
}


def mutate(path: Path, random: Random) -> None:
    """Mutate a file in its place."""
    data = path.read_bytes()
    mutator = mutated_root if path.name == "zarr.json" else MUTATORS.get(path.suffix, mutated_bytes)
    path.write_bytes(mutator(data, random))
