"""The folder of all that is derived, compiled or written for a model, once for all processes."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import platformdirs

from twinbrain.paths import user_path

VARIABLE = "TWINBRAIN_CACHE_DIR"
_OF_NUMBA = "NUMBA_CACHE_DIR"
_TRIED = b"\0" * 4096


def cache_root() -> Path:
    """Return the folder: ``TWINBRAIN_CACHE_DIR``, or the user's; a temporary one where that cannot be written."""
    return _usable(user_path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("twinbrain")).absolute())


@cache
def _usable(folder: Path) -> Path:
    """Return the folder, or a temporary one in its place, for this process and those that it starts."""
    if (fault := _fault(folder)) is None:
        return folder
    temporary = Path(tempfile.mkdtemp(prefix="twinbrain-"))
    # Unlike what atexit is given, not called where a fork of this process ends.
    Finalize(None, shutil.rmtree, (temporary,), {"ignore_errors": True}, exitpriority=-1)
    os.environ[VARIABLE] = str(temporary)
    logging.getLogger("twinbrain").warning(
        "The cache folder %s cannot be written (%s): models are compiled anew, into %s; name another in %s.",
        folder,
        fault,
        temporary,
        VARIABLE,
    )
    return temporary


def _fault(folder: Path) -> str | None:
    """Return why nothing can be written to a folder, which is made if need be; None if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_TRIED)
    except OSError as error:
        return error.strerror or str(error)
    return None


def spare_numba() -> None:
    """Let numba keep compiled code in our cache where it can keep it neither beside this package nor for the user.

    It would refuse to import functions that ask to be kept. What it keeps damaged, wherever that is, is made anew.
    """
    places = (Path(__file__).parent / "__pycache__", Path(platformdirs.user_cache_dir("numba")))
    if not os.environ.get(_OF_NUMBA) and all(_fault(place) is not None for place in places):
        keep_numba_apart()
    _replace_damaged()


def keep_numba_apart() -> None:
    """Let numba keep the code of functions that it meets from now on in our cache, and take it from there alone.

    Beside the file of a function, where it would look first, anyone may have put it, and it is unpickled. A folder that
    the person has named in ``NUMBA_CACHE_DIR`` stays. Processes that are started inherit it.
    """
    if not os.environ.get(_OF_NUMBA):
        os.environ[_OF_NUMBA] = str(cache_root() / "numba")
    if "numba" in sys.modules:  # it has read the variable already
        sys.modules["numba"].config.CACHE_DIR = os.environ[_OF_NUMBA]
    _replace_damaged()


@cache
def _replace_damaged() -> None:
    """Let numba compile anew what it keeps damaged; it would fail on that ever after.

    A disk that was full leaves files cut short.
    """
    from numba.core import caching

    kept: Any = caching.IndexDataCacheFile
    index, data = kept._load_index, kept._load_data

    def load_index(self: Any) -> Any:
        try:
            return index(self)
        except OSError:
            raise
        except Exception:  # unpickling what is no pickle may end in any
            return {}

    def load_data(self: Any, name: str) -> Any:
        try:
            return data(self, name)
        except OSError:
            raise
        except Exception as error:
            raise FileNotFoundError(f"{name} is damaged") from error  # which numba takes for not there

    kept._load_index, kept._load_data = load_index, load_data


def numba_is_apart() -> bool:
    """Return whether numba keeps code in a folder for all, rather than beside each file."""
    return bool(os.environ.get(_OF_NUMBA))
