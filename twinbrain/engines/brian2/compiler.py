"""How Brian2 compiles for us: preferences, cache folder, and the functions that programs use."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from twinbrain.cache import cache_root
from twinbrain.engines import exponential, logarithm
from twinbrain.engines.brian2.extensions import whole_extensions
from twinbrain.engines.brian2.toolchain import (
    FLAGS,
    LINK_FLAGS,
    compiler_key,
    exact_flags,
    own_environment,
    own_folder,
)
from twinbrain.models.brian import import_brian2

# Where compilers are started. What they made in the working folder may hold code that lay there.
_STARTED = "in a folder of their own"


def cache_folder() -> Path:
    """Return the folder of compiled code; Brian2's own key ignores flags and the processor, so ours names them.

    Without a compiler it is that of the compiler that was last used here: what it compiled still runs.
    """
    brian2 = import_brian2()

    processor = platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        processor += next((line for line in info.read_text().splitlines() if line.startswith("flags")), "")
    parts = (
        *(*FLAGS, *LINK_FLAGS, _STARTED),
        *(brian2.__version__, version("cython"), np.__version__, platform.python_version(), processor),
    )
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    folder = cache_root() / "cython" / key
    if compiler := compiler_key():
        return folder / compiler
    others = [path for path in folder.glob("*") if path.is_dir()]
    return max(others, key=lambda path: path.stat().st_mtime, default=folder / "none")


@contextmanager
def preferences(target: str) -> Iterator[None]:
    """Set Brian2's preferences and its device for the time of a build, and give them back after."""
    prefs = import_brian2().prefs
    wanted: dict[str, Any] = {
        "codegen.target": target,
        "codegen.loop_invariant_optimisations": False,
        "core.default_float_dtype": np.float64,
        "core.default_integer_dtype": np.int32,
    }
    with ExitStack() as stack:
        stack.enter_context(_runtime_device())
        if target == "cython":
            stack.enter_context(own_environment())
            stack.enter_context(own_folder())
            stack.enter_context(exact_flags())
            stack.enter_context(_own_includes())
            stack.enter_context(whole_extensions(folder := cache_folder()))
            wanted |= {
                "codegen.cpp.extra_compile_args": None,
                "codegen.cpp.extra_compile_args_gcc": list(FLAGS),
                "codegen.cpp.extra_link_args": [*prefs["codegen.cpp.extra_link_args"], *LINK_FLAGS],
                "codegen.cpp.define_macros": [],
                "codegen.runtime.cython.cache_dir": str(folder),
                "codegen.runtime.cython.multiprocess_safe": True,
            }
        before = {name: prefs[name] for name in wanted}
        try:
            for name, value in wanted.items():
                prefs[name] = value
            yield
        finally:
            for name, value in before.items():
                prefs[name] = value


@contextmanager
def _runtime_device() -> Iterator[None]:
    """Let Brian2 compute in this process, whatever device the person has set for scripts of their own."""
    import_brian2()
    device: Any = import_module("brian2.devices.device")  # the attribute of this name is no module
    before = device.active_device
    # Setting it as a person does would forget how theirs was to be built.
    device.active_device = device.runtime_device
    try:
        yield
    finally:
        device.active_device = before


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
