"""A cache folder that cannot be written costs a line and some seconds, and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import IndexDataCacheFile

import twinbrain.network  # which sets numba up
from twinbrain.cache import cache_root

SIMULATE = """
import twinbrain as tb
region = tb.Region(
    name="one",
    cells={"lif": tb.Cell(model="lif_current", receptors=["exponential_current"])},
    populations={"lif": tb.Population(cell="lif", size=2)},
)
print(tb.simulate(region, duration="2 ms", engine="brian2-numpy", out="run.zarr").attrs["status"])
"""


def run(program, folder, **environment):
    names = {"TWINBRAIN_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
    others = {name: value for name, value in os.environ.items() if name not in names}
    others = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | others
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=others | environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_the_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TWINBRAIN_CACHE_DIR", "~/here")
    assert cache_root() == tmp_path / "here"


def test_a_folder_that_cannot_be_written_is_replaced_with_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = run(SIMULATE, tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (0, "complete\n"), done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "twinbrain" in line]
    assert f"The cache folder {tmp_path}/file/twinbrain cannot be written (Not a directory)" in line
    assert "name another in TWINBRAIN_CACHE_DIR" in line
    assert "Traceback" not in done.stderr
    temporary = Path(line.partition("anew, into ")[2].partition(";")[0])
    assert not temporary.exists()  # it goes with the process


def test_the_package_is_imported_where_neither_it_nor_the_home_can_be_written(tmp_path):
    package = Path(twinbrain.__file__).parent
    copy = tmp_path / "site/twinbrain"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [copy, *(path for path in copy.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").touch()  # which nobody can write into, the superuser neither
    (tmp_path / "file").touch()
    program = "import os, twinbrain.network.random; print(os.environ['NUMBA_CACHE_DIR'])"
    path = os.pathsep.join(
        [str(copy.parent), *(entry for entry in sys.path if entry and Path(entry) != package.parent)]
    )
    done = run(program, tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"), PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("/numba")


@pytest.mark.parametrize("name", ["f.nbi", "f.1.nbc"])
@pytest.mark.parametrize("n_left", [0, 3, -3])
def test_what_numba_keeps_damaged_is_made_anew(tmp_path, name, n_left):
    kept = IndexDataCacheFile(str(tmp_path), "f", "stamp")
    kept.save("key", "compiled")
    assert kept.load("key") == "compiled"
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:n_left])
    assert kept.load("key") is None
    kept.save("key", "anew")
    assert kept.load("key") == "anew"
