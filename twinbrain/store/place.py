"""Places where stores may lie, as a person gives them: a path, or a URL."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from twinbrain.errors import StoreError
from twinbrain.paths import user_path

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*://")
# Others that fsspec knows unpack archives, follow references to other places, or start programs.
SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https", "memory")
"""Kinds of URL at which a store may lie, beside paths of this machine."""
_OF_THIS_MACHINE = ("file", "local")
_MISTYPED = re.compile(rf"({'|'.join((*SCHEMES, *_OF_THIS_MACHINE))}):(/?)(?!/)", re.IGNORECASE)
# Of others, such as one with a backslash, programs differ in what the host is.
_HOST = re.compile(r"([^\s\\@#]*@)?[\w.-]*\w[\w.-]*(:[0-9]+)?")
_BUCKET = re.compile(r".*[^\s.].*")
# What pathlib makes of a URL.
_SQUASHED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")


def place_of(path: str | os.PathLike[str]) -> Path | str:
    """Return a path of this machine, or the URL, that a text names.

    Raises
    ------
    StoreError
        If it is a path or URL that no store can lie at.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise StoreError(f"expected a path or a URL as text, found {path!r}; name a place, such as 'runs/rest.zarr'")
    if not text.strip():
        raise StoreError("expected a path or a URL, found an empty text; name a place, such as 'runs/rest.zarr'")
    if "\0" in text:
        raise StoreError(f"expected a path or URL, found one with a NUL in it: {text!r}; leave that out")
    if not isinstance(path, str) and _SQUASHED.match(text):
        raise StoreError(f"expected a URL as text, found a path: {text}; give it as str, such as 's3://bucket/name'")
    if match := _MISTYPED.match(text):
        scheme, slash, rest = match[1].lower(), match[2], text[match.end() :]
        right = f"{scheme}://{rest}" if rest else "a whole one"
        if rest and scheme in _OF_THIS_MACHINE:
            right = f"{scheme}:///{rest}" if slash else rest
        raise StoreError(f"expected a path, or a URL with '//' after {scheme}:, found {text}; write {right}")
    if not _URL.match(text):
        return _reachable(user_path(text))
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme == "file" and not rest.startswith(("/", "~")):  # between the second and the third "/" stands a host
        host, _, below = rest.partition("/")
        if host.lower() != "localhost":
            raise StoreError(
                f"expected a path of this machine, such as file:///tmp/rest.zarr, found one of the host {host!r}: "
                f"{text}; give the path alone, or a whole one after file://"
            )
        rest = f"/{below}"
    if scheme in _OF_THIS_MACHINE:
        return _reachable(user_path(rest))
    if scheme not in SCHEMES:
        raise StoreError(
            f"expected a path, or a URL that begins with one of {', '.join(f'{name}://' for name in SCHEMES)}, "
            f"found {text}; name another place"
        )
    return _one_url(scheme, rest, text)


def _one_url(scheme: str, rest: str, text: str) -> str:
    """Return a URL, if it names one place, and none but that."""
    if "::" in rest:  # by which fsspec goes to another place through this one
        raise StoreError(f"expected one URL, found several with '::' between them: {text}; name one place")
    first, _, below = rest.partition("/")
    is_http = scheme in ("http", "https")
    what, known = ("host", _HOST) if is_http else ("bucket", _BUCKET)
    if scheme != "memory" and not known.fullmatch(first):
        found = f"{first!r} as its" if first else "no"
        raise StoreError(f"expected {scheme}://{what}/name, found {found} {what}: {text}; name one")
    if pattern := re.search(r"[*?\[\]]", rest):
        raise StoreError(f"expected a URL without patterns, found {pattern[0]!r} in {text}; name one place")
    if is_http and "#" in rest:  # what follows is never sent, nor are names below it
        raise StoreError(f"expected a URL without a fragment, found '#' in {text}; write %23 if it is of a name")
    if part := next((part for part in rest.split("/") if unquote(part) in (".", "..")), None):
        raise StoreError(f"expected a URL that names its place, found {part!r} in it: {text}; leave that out")
    if not below.strip("/ ") and what == "bucket" and scheme != "memory":
        raise StoreError(f"expected {scheme}://bucket/name, found no name in the bucket: {text}; add one")
    return f"{scheme}://{rest.rstrip('/')}"


def _reachable(path: Path) -> Path:
    """Return a path, if it can be asked whether anything is there."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise StoreError(
            f"expected a path that can be reached, found {error.strerror or error}: {str(path)[:400]}; check its "
            "length, its links, and who may read the folders that it lies in"
        ) from None
    return path
