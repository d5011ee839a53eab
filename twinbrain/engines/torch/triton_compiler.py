"""Start the compilers of Triton in an empty folder of their own; imported, once for the process, where there is Triton.

A linker looks for libraries of some names where it is started before anywhere else: what lay in the working folder
would become a part of compiled code.
"""

from __future__ import annotations

import subprocess
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from triton.runtime import build


def _check_call(command: list[str], **named: Any) -> int:
    with TemporaryDirectory(prefix="twinbrain-compiler-", ignore_cleanup_errors=True) as folder:
        return subprocess.check_call(command, **named | {"cwd": folder})


build.subprocess = SimpleNamespace(**vars(subprocess) | {"check_call": _check_call})
