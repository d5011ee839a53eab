"""What `import twinbrain` costs and offers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import twinbrain

HEAVY = {
    "brian2",
    "dask",
    "h5py",
    "matplotlib",
    "networkx",
    "nir",
    "numba",
    "pandas",
    "pint",
    "pydantic",
    "scipy",
    "snntorch",
    "sympy",
    "torch",
    "typer",
    "xarray",
    "zarr",
}


def test_import_loads_no_heavy_module():
    program = "import json, sys, twinbrain; print(json.dumps(sorted(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in json.loads(found.stdout)}
    assert "twinbrain" in loaded
    assert loaded & HEAVY == set()


def test_parts_load_what_they_need_and_that_late(tmp_path):
    """All in one, since a process takes seconds to start."""
    program = """
import sys

def loaded(*names):
    print(*sorted(set(names) & set(sys.modules)), sep=",")

from twinbrain import plot
loaded("dask", "matplotlib")
import twinbrain.run.simulate
loaded("dask_jobqueue", "distributed")
from twinbrain.spec.connectome import Connectome
pair = Connectome([[0, 1], [1, 0]], [[0, 10], [10, 0]], ["A", "B"])
plot.save(plot.connectome_matrix(pair), "matrix.png")
loaded("matplotlib", "matplotlib.pyplot")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["", "", "matplotlib"], done.stderr
    assert (tmp_path / "matrix.png").is_file()


@pytest.mark.parametrize("option", ["-O", "-OO"])
def test_a_python_without_assertions_is_refused(option):
    program = "import twinbrain as tb\ntry:\n    tb.simulate\nexcept Exception as error:\n    print(error)"
    found = subprocess.run([sys.executable, option, "-c", program], check=True, capture_output=True, text=True)
    assert "found one without: start it without -O and -OO, and unset PYTHONOPTIMIZE" in found.stdout


def test_a_command_of_a_python_without_assertions_is_one_error():
    command = [sys.executable, "-OO", "-m", "twinbrain.cli", "workflows"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: expected a Python that runs assertions")


@pytest.mark.parametrize("name", dir(twinbrain))
def test_public_name_resolves(name):
    assert hasattr(twinbrain, name)


def test_a_public_name_is_one_thing():
    """A name that two modules give would be the last one's."""
    source = Path(twinbrain.__file__).read_text()
    names = [name for part in re.findall(r'"[\w.]+": \[([^\]]*)\]', source) for name in re.findall(r'"(\w+)"', part)]
    assert len(names) > 60
    assert sorted(names) == sorted(set(names))
    assert twinbrain.SampledWaveform is not twinbrain.Samples
