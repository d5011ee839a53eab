"""A folder that a stranger packed: working in it runs nothing that lies there."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import Cython
import pytest

from tests.cli.small import REGION
from twinbrain.engines.brian2.ahead import COMMAND

ROOT = Path(__file__).parents[2]
MODULES = ("multiprocessing", "numpy", "pickle", "random", "sitecustomize", "twinbrain", "zarr")


@pytest.fixture
def environment():
    """That of a shell in which neither Python nor the tests have set anything."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"} | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def command(tmp_path_factory, environment, folder):
    """Run the command as it is installed: a script in a folder of its own."""
    script = tmp_path_factory.mktemp("bin") / "twinbrain"
    script.write_text('from twinbrain.cli import main\n\nif __name__ == "__main__":\n    main()\n')

    def call(*arguments):
        line = [sys.executable, script, *map(str, arguments)]
        return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return call


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("brian_preferences", "codegen.target = __import__('os').system('touch {marker}') or 'numpy'\n", "Brian2 runs"),
        (".numba_config.yaml", "cache_dir: cache\n", "Numba takes"),
    ],
)
def test_what_a_library_would_run_from_the_folder_is_refused(folder, refused, marker, name, content, told):
    (folder / name).write_text(content.format(marker=marker))
    refused(("run", "small.toml", "--set", "run.engine=brian2-numpy"), name, told, "start elsewhere")


def test_settings_of_matplotlib_are_those_of_the_person_and_not_of_the_folder(folder, environment, tmp_path):
    """With ``text.usetex``, figures would start LaTeX on what the settings say."""
    (folder / "matplotlibrc").write_text("text.usetex: True\ntext.latex.preamble: \\input{|sh}\nlines.linewidth: 3\n")
    (tmp_path / "mine").write_text("lines.linewidth: 7\n")
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom twinbrain.cli.app import app\n"
        "CliRunner().invoke(app, ['workflows'], catch_exceptions=False)\nimport matplotlib\n"
        "print(matplotlib.rcParams['text.usetex'], matplotlib.rcParams['lines.linewidth'])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=folder,
        env=environment | {"MATPLOTLIBRC": str(tmp_path / "mine")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "False 7.0\n", done.stderr


def test_no_module_of_the_folder_is_imported_by_a_sweep_and_its_workers(folder, command, marker):
    for module in MODULES:
        (folder / f"{module}.py").write_text(f"import os\nos.system({f'touch {marker}'!r})\n")
    with (folder / "small.toml").open("a") as file:
        file.write("\n[sweep]\nreduce = ['mean_rates']\nparameters.coupling = [0.5]\n")
    done = command("run", "small.toml", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 point done" in done.stdout


def test_no_module_of_the_folder_is_imported_while_code_is_compiled_ahead(folder, environment, marker):
    for module in MODULES:
        (folder / f"{module}.py").write_text(f"import os\nos.system({f'touch {marker}'!r})\n")
    done = subprocess.run(
        COMMAND, input=pickle.dumps([]), cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_of_the_folder_is_compiled_or_linked(folder, command, environment, marker, tmp_path_factory):
    known = Path(Cython.__file__).parent / "Includes" / "libc" / "math.pxd"
    evil = f'__attribute__((constructor)) static void attack(void) {{ (void)!system("touch {marker}"); }}'
    source = tmp_path_factory.mktemp("evil") / "evil.c"
    source.write_text(f"#include <stdlib.h>\n{evil}\n")
    for library in ("libgcc_s.so.1", "libgcc_s.so", "libm.so.6", "libc.so.6"):  # a linker would look here first
        subprocess.run(["gcc", "-fPIC", "-c", source, "-o", folder / library], check=True)
    (folder / "libc").mkdir()
    (folder / "libc" / "__init__.pxd").touch()
    (folder / "libc" / "math.pxd").write_text(
        f'{known.read_text()}\ncdef extern from *:\n    """\n    #include <stdlib.h>\n    {evil}\n    """\n'
    )
    environment["TWINBRAIN_CACHE_DIR"] = str(tmp_path_factory.mktemp("cold"))
    # Cells without synapses are the least that is compiled.
    (folder / "cells.toml").write_text(REGION.partition("[[projections]]")[0])
    (folder / "one.toml").write_text('region = "cells.toml"\n[run]\nduration = "1 ms"\n')
    done = command("run", "one.toml", "--no-figure")
    assert done.returncode == 0, done.stderr


def test_no_code_that_numba_would_take_from_beside_a_function_is_unpickled(folder, command, marker):
    (folder / "own.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef f(x): return x\n\ndef count(run):\n"
        "    @numba.njit(cache=True)\n    def g(x): return x\n    return float(f(1) + g(1))\n"
    )
    (folder / "__pycache__").mkdir()
    version = f"py{sys.version_info[0]}{sys.version_info[1]}{sys.abiflags}"
    forged = [folder / "__pycache__" / f"own.{name}.{version}.nbi" for name in ("f-3", "count.locals.g-7")]
    with (folder / "small.toml").open("a") as file:
        file.write("\n[sweep]\nreduce = []\nparameters.coupling = [0.5]\n")
    for path in forged:
        path.write_bytes(pickle.dumps(Touch(str(marker))))
    done = command("run", "small.toml", "--workers", 0, "--reduce-from", "own.py:count", "--out", "s.zarr")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 point done" in done.stdout


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)
