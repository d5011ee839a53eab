"""The C++ compiler that Brian2 uses for us: which it is, its flags, and what of the environment it may see."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twinbrain.errors import EngineError

# What decides about numbers. Results must not depend on the compiler's liberties: no fast-math, whoever asks for it
# before, and no fused multiply-add (contraction). The first also undoes what stands before it, so it comes first.
EXACT = (
    "-fno-fast-math",
    "-fno-unsafe-math-optimizations",
    "-fno-associative-math",
    "-fno-reciprocal-math",
    "-fno-finite-math-only",
    "-fsigned-zeros",
    "-ffp-contract=off",
    "-std=c++11",
)
# What decides about speed; a compiler that does not know one goes without. Errors and traps of floating point are not
# used, and telling so lets loops be vectorised; so does allowing many arrays in one loop, and not guessing from the
# many checks before it that the loop is cold. Beyond -O1, gcc takes twice as long for code that is no faster.
FLAGS = (
    *EXACT,
    "-w",
    "-O1",
    "-finline-functions",
    "-ftree-vectorize",
    "-ftree-loop-if-convert",
    "-fvect-cost-model=dynamic",
    "--param=vect-epilogues-nomask=0",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "--param=vect-max-version-for-alias-checks=10000",
    "-fno-guess-branch-probability",
)
# A library linked for fast-math would round subnormal numbers to 0 in the whole process.
LINK_FLAGS = ("-O1", "-fno-fast-math", "-fno-unsafe-math-optimizations")

# What adds flags. Without them the folders of this Python are searched, those of a conda environment among them.
_DROPPED = (
    *("CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "ARCHFLAGS", "LDSHARED", "LDCXXSHARED"),
    *("CCC_OVERRIDE_OPTIONS", "CCC_ADD_ARGS"),
)
_COMPILERS = ("CC", "CXX")
# Starts a command in a folder: what comes next is the folder and the command.
_IN_FOLDER = ("/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh")
# Flags that say where things are, and for what machine, as cross compilers and clusters need; a word may follow.
_OF_PLACES = re.compile(r"--sysroot=.|--gcc-toolchain=.|--target=.|-stdlib=.|-(isysroot|isystem|target|[BIL])")
# Where some systems (modules, Guix, Nix, macOS) tell a compiler its headers and libraries: it needs them.
_PLACES = (
    *("CPATH", "CPLUS_INCLUDE_PATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "SDKROOT"),
    *("NIX_CFLAGS_COMPILE", "NIX_LDFLAGS"),
)


@contextmanager
def own_environment() -> Iterator[None]:
    """Keep variables that add flags from compilers, for a time; of ``CC`` and ``CXX``, leave the command."""
    before = {name: os.environ.get(name) for name in (*_DROPPED, *_COMPILERS)}
    names = {name: shlex.join(_command(name)) for name in _COMPILERS if before[name]}
    try:
        for name in before:
            os.environ.pop(name, None)
        os.environ.update((name, command) for name, command in names.items() if command)
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def own_folder() -> Iterator[None]:
    """Start compilers in an empty folder of their own, for a time.

    A linker looks for libraries of some names, such as that of gcc itself, where it is started before anywhere else:
    what lay in the working folder would become a part of compiled code.
    """
    from distutils.ccompiler import CCompiler

    # All commands go through one method, which has two names, and does not let every version choose the folder.
    name = "call" if hasattr(CCompiler, "call") else "spawn"
    before = getattr(CCompiler, name)

    def apart(compiler: Any, command: list[str], **named: Any) -> Any:
        with TemporaryDirectory(prefix="twinbrain-compiler-", ignore_cleanup_errors=True) as folder:
            return before(compiler, [*_IN_FOLDER, folder, *command], **named)

    setattr(CCompiler, name, apart)
    try:
        yield
    finally:
        setattr(CCompiler, name, before)


@contextmanager
def exact_flags() -> Iterator[None]:
    """Let Brian2 leave out no flag that decides about numbers; it leaves out those with which a test fails."""
    from brian2.codegen import cpp_prefs

    before = cpp_prefs.has_flag

    def has_flag(compiler: Any, flag: str) -> bool:
        if flag in EXACT:
            return True
        with redirect_stderr(io.StringIO()), suppress(OSError):  # what the compiler says, and no room for the test
            return bool(before(compiler, flag))
        return False

    cpp_prefs.has_flag = has_flag
    try:
        yield
    finally:
        cpp_prefs.has_flag = before


def compiler_key() -> str | None:
    """Return what tells the compiler from others: where it is, what it says of itself, where it looks; None without."""
    command = _command("CXX") or ["c++"]
    key = _identity(tuple(command), os.environ.get("PATH"))
    places = "".join(f"{name}={os.environ[name]}\n" for name in _PLACES if name in os.environ)
    return None if key is None else hashlib.sha256(f"{key}\n{places}".encode(errors="replace")).hexdigest()[:16]


def compiler_name() -> str:
    """Return the command of the compiler."""
    return shlex.join(_command("CXX") or ["c++"])


def _command(variable: str) -> list[str]:
    """Return the command that a variable names, as in ``ccache g++``, without flags that could change numbers."""
    text = os.environ.get(variable) or sysconfig.get_config_var(variable) or ""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise EngineError(f"{variable}: expected the command of a compiler, found {text!r} ({error})") from None
    n = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return [*map(_found_anywhere, words[:n]), *_of_places(words[n:])] if n else []


def _found_anywhere(word: str) -> str:
    """Return a path as an absolute one, since compilers are not started in the working folder; a name as it is."""
    return os.path.abspath(word) if os.sep in word else word


def _of_places(flags: list[str]) -> list[str]:
    """Return the flags that name places and machines, with the words that belong to them."""
    kept: list[str] = []
    for before, flag in zip(["", *flags], flags, strict=False):
        follows = (match := _OF_PLACES.fullmatch(before)) is not None and bool(match[1])
        if _OF_PLACES.match(flag) or (follows and not flag.startswith("-")):
            kept.append(flag)
    return kept


@cache
def _identity(command: tuple[str, ...], path: str | None) -> str | None:
    """Return what a compiler is; that is asked of it once in a process."""
    if shutil.which(command[0]) is None:
        return None
    parts = [shlex.join(command)]
    for found in filter(None, map(shutil.which, command)):
        parts.append(str(file := Path(found).resolve()))
        # Enough for all of a script that calls another; one that may be run need not be readable.
        with suppress(OSError), file.open("rb") as opened:
            parts.append(hashlib.sha256(opened.read(1 << 16)).hexdigest())
    asked = {"capture_output": True, "stdin": subprocess.DEVNULL, "env": os.environ | {"LC_ALL": "C"}}
    try:
        said = subprocess.run([*command, "--version"], check=False, **asked)  # type: ignore[call-overload]
    except OSError:  # a file that no system runs
        return None
    return "\n".join([*parts, said.stdout.decode(errors="replace")])
