"""Connections through fsspec: one of each kind in a process, closed when it ends."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from typing import Any

from zarr.core.sync import sync

from twinbrain.errors import StoreError
from twinbrain.store.http import client_options

_open: dict[tuple[object, ...], Any] = {}
_lock = threading.Lock()
# A fork would get it locked for ever, if another thread connects meanwhile.
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def file_system(url: str) -> tuple[Any, str]:
    """Return the fsspec file system that knows a URL, and the URL's path on it.

    It is asynchronous, belongs to zarr's event loop, and is this process's own.

    Raises
    ------
    StoreError
        If the package that such URLs need is not installed.
    """
    scheme = url.partition("://")[0]
    # Settings that change, such as a renewed token, are those of another connection.
    settings = frozenset((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
    key = (os.getpid(), scheme, settings)
    with _lock:
        if key not in _open:
            _open[key] = _connect(scheme, url)
        fs = _open[key]
    return fs, fs._strip_protocol(url)


def _connect(scheme: str, url: str) -> Any:
    import fsspec.config
    from fsspec import url_to_fs
    from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

    is_s3 = scheme in ("s3", "s3a")
    options = _s3_options() if is_s3 else {}
    try:
        if scheme in ("http", "https"):
            # What is given replaces the user's settings, which fsspec takes from both names, of both schemes.
            both = [fsspec.config.conf.get(name, {}).get("client_kwargs", {}) for name in ("http", "https")]
            options = {"client_kwargs": client_options(both[0] | both[1])}
        # Listings are not kept: other processes write too.
        fs, _ = url_to_fs(url, asynchronous=True, skip_instance_cache=True, use_listings_cache=False, **options)
    except ImportError as error:
        package = 'pip install "twinbrain[s3]"' if is_s3 else f"install the package it needs ({error})"
        raise StoreError(f"expected a package that reads {scheme}://, found none, for {url}; {package}") from error
    except ValueError as error:
        raise StoreError(f"expected a path, or a URL that fsspec knows, found {url}: {error}; name another") from error
    if is_s3:
        fs.retries = 2  # on top of botocore's own
    return fs if fs.async_impl else AsyncFileSystemWrapper(fs, asynchronous=True)


def _s3_options() -> dict[str, Any]:
    """Return what we ask of s3fs beyond the user's settings."""
    import fsspec.config

    config: dict[str, Any] = {"max_pool_connections": 32}
    if "AWS_MAX_ATTEMPTS" not in os.environ:
        config["retries"] = {"mode": "standard", "total_max_attempts": 3}
    config |= fsspec.config.conf.get("s3", {}).get("config_kwargs", {})
    # Objects are small, so each is read by one request, without asking for its size first.
    return {"max_concurrency": 1, "config_kwargs": config}


@atexit.register  # after zarr's own, hence called before its event loop is gone
def _close() -> None:
    for (process, *_), fs in _open.items():
        session = getattr(fs, "_s3", None) or getattr(fs, "_session", None)
        if process == os.getpid() and session is not None:
            with suppress(Exception):
                sync(session.close(), timeout=5)
