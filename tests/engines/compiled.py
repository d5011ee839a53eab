"""C functions of the engines, compiled as an engine compiles them, in a loop that is vectorised."""

import ctypes
import subprocess

import numpy as np

from twinbrain.engines.brian2.toolchain import FLAGS


def compiled(source, name, folder, n_arguments=1):
    """Return the C function of that name, to be called with arrays."""
    names = ["x", "y"][:n_arguments]
    loop = f"for (long i = 0; i < n; i++) out[i] = twinbrain_{name}({', '.join(f'{a}[i]' for a in names)});"
    function = f"void fill({', '.join(f'const double *{a}' for a in names)}, double *out, long n) {{ {loop} }}"
    (folder / f"{name}.cpp").write_text(f'{source}\nextern "C" {{ {function} }}\n')
    library = folder / f"{name}.so"
    subprocess.run(["g++", *FLAGS, "-shared", "-fPIC", folder / f"{name}.cpp", "-o", library], check=True)
    fill = ctypes.CDLL(str(library)).fill

    def call(*arguments):
        arrays = [np.ascontiguousarray(argument, dtype=np.float64) for argument in arguments]
        out = np.empty(len(arrays[0]))
        fill(*(a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, out)), ctypes.c_long(len(out)))
        return out

    return call
