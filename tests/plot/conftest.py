import importlib.util
import sys
from pathlib import Path

import pytest

from twinbrain.connectome import synthetic_connectome
from twinbrain.spec.connectome import Connectome

# Imported by its path, since test folders are no packages.
_spec = importlib.util.spec_from_file_location("runs", Path(__file__).parents[1] / "analysis" / "runs.py")
runs = sys.modules.setdefault("runs", importlib.util.module_from_spec(_spec))
if not hasattr(runs, "make_run"):
    _spec.loader.exec_module(runs)

KINDS = {
    "cortex/column": [("pyr", "glutamate", 8, 5), ("pv", "gaba", 3, 12), ("sst", "gaba", 2, 8), ("vip", "gaba", 2, 8)],
    "thalamus/relay": [("tc", "glutamate", 6, 9), ("ret", "gaba", 3, 14)],
    "hippocampus/ca3": [("pyr", "glutamate", 8, 4), ("pv", "gaba", 2, 18)],
    "basal_ganglia/striatum": [("d1", "gaba", 5, 3), ("d2", "gaba", 5, 3), ("fsi", "gaba", 2, 15)],
    "amygdala/basolateral": [("principal", "glutamate", 6, 4), ("pv", "gaba", 2, 12)],
    "midbrain/vta": [("da", "glutamate", 4, 5), ("pv", "gaba", 2, 12)],
}
FLASH = {"name": "flash", "start": "400 ms", "duration": "100 ms"}


def module_of(label):
    """Put cortex nearly everywhere, and one region of each other family on either side."""
    others = [module for module in KINDS if module != "cortex/column"]
    number = int(label.split("-")[1])
    return others[number - 1] if number <= len(others) else "cortex/column"


@pytest.fixture(scope="session")
def brain():
    """96 regions of 6 families, 360 populations; a stimulus."""
    return runs.brain_run(synthetic_connectome(96), module_of, KINDS, duration=1200.0, stimuli=[FLASH])


@pytest.fixture(scope="session")
def small_brain():
    """12 regions of 6 families."""
    return runs.brain_run(synthetic_connectome(12), module_of, KINDS, duration=1000.0)


@pytest.fixture(scope="session")
def region():
    """One region of 4 populations."""
    connectome = Connectome([[0.0]], [[0.0]], ["cortex/column"], name="single")
    return runs.brain_run(connectome, lambda label: "cortex/column", KINDS, duration=1000.0, scale=5)


@pytest.fixture(scope="session")
def helpers():
    return runs
