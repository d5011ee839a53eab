"""How Brian2 compiles for us: flags, cache folder, and the functions that programs use."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from twinbrain.cache import cache_root
from twinbrain.engines import exponential, logarithm
from twinbrain.models.brian import import_brian2

# Results must not depend on the compiler's liberties: no fast-math, and no fused multiply-add (contraction). Errors and
# traps of floating point are not used, and telling so lets loops be vectorised; so does allowing many arrays in one
# loop, and not guessing from the many checks before it that the loop is cold. Beyond -O1, gcc takes twice as long for
# code that is no faster.
FLAGS = (
    "-w",
    "-O1",
    "-finline-functions",
    "-ftree-vectorize",
    "-ftree-loop-if-convert",
    "-fvect-cost-model=dynamic",
    "--param=vect-epilogues-nomask=0",
    "-march=native",
    "-std=c++11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "--param=vect-max-version-for-alias-checks=10000",
    "-fno-guess-branch-probability",
)


def cache_folder() -> Path:
    """Return the folder of compiled code; Brian2's own key ignores flags and the processor, so ours names them."""
    brian2 = import_brian2()

    processor = platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        processor += next((line for line in info.read_text().splitlines() if line.startswith("flags")), "")
    parts = (*FLAGS, brian2.__version__, version("cython"), np.__version__, platform.python_version(), processor)
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache_root() / "cython" / key


@contextmanager
def preferences(target: str) -> Iterator[None]:
    """Set Brian2's preferences for the time of a build, and give them back after."""
    prefs = import_brian2().prefs
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    wanted = {
        "codegen.target": target,
        "codegen.loop_invariant_optimisations": False,
        "codegen.cpp.extra_compile_args_gcc": list(FLAGS),
        "codegen.runtime.cython.cache_dir": str(cache),
        "core.default_float_dtype": np.float64,
        "core.default_integer_dtype": np.int32,
    }
    before = {name: prefs[name] for name in wanted}
    try:
        for name, value in wanted.items():
            prefs[name] = value
        with _own_includes():
            yield
    finally:
        for name, value in before.items():
            prefs[name] = value


@contextmanager
def _own_includes() -> Iterator[None]:
    """Let Cython read declarations of its own alone; as Brian2 calls it, those of the working folder come first."""
    import Cython
    from brian2.codegen.runtime.cython_rt import extension_manager
    from Cython.Build import cythonize

    includes = Path(Cython.__file__).resolve().parent / "Includes"
    before = extension_manager.Cython_Build
    extension_manager.Cython_Build = SimpleNamespace(cythonize=partial(cythonize, include_path=[str(includes)]))
    try:
        yield
    finally:
        extension_manager.Cython_Build = before


def functions() -> dict[str, Any]:
    """Return the functions of programs as Brian2 functions, for Cython and for numpy."""
    import_brian2()
    from brian2.core.functions import Function

    def function(name: str, numpy_form: Any, c_source: str, types: list[str]) -> Any:
        created = Function(
            numpy_form,
            arg_units=[1 if t == "float" else None for t in types],
            return_unit=1,
            arg_types=types,
            return_type="float",
        )
        arguments = ", ".join("double" if t == "float" else "int" for t in types)
        quotes = '"""'
        code = (
            f"cdef extern from *:\n    {quotes}{c_source}{quotes}\n    double twinbrain_{name}({arguments}) noexcept\n"
        )
        created.implementations.add_implementation("cython", code, name=f"twinbrain_{name}")
        created.implementations.add_implementation("numpy", numpy_form)
        return created

    inline = "\nstatic inline double twinbrain_"
    return {
        **{
            name: function(name, getattr(module, name), module.C_SOURCE, ["float"] * n_arguments)
            for module, name, n_arguments in (
                (exponential, "exponential", 1),
                (exponential, "relative_exponential", 1),
                (logarithm, "logarithm", 1),
                (logarithm, "power", 2),
            )
        },
        "reciprocal": function(
            "reciprocal", lambda x: 1.0 / x, f"{inline}reciprocal(double x) {{ return 1.0 / x; }}\n", ["float"]
        ),
        "select": function(
            "select",
            np.where,
            f"{inline}select(int condition, double a, double b) {{ return condition ? a : b; }}\n",
            ["boolean", "float", "float"],
        ),
        "indicator": function(
            "indicator",
            lambda condition: np.where(condition, 1.0, 0.0),
            f"{inline}indicator(int condition) {{ return condition ? 1.0 : 0.0; }}\n",
            ["boolean"],
        ),
        "bounded": function(
            "bounded",
            lambda x, low, high: np.where(x > high, high, np.where(x < low, low, x)),
            f"{inline}bounded(double x, double low, double high) {{ return x > high ? high : (x < low ? low : x); }}\n",
            ["float", "float", "float"],
        ),
    }
