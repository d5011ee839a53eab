"""A small sweep, and reductions that do things to the process that computes them."""

import os
import signal
import time

from tests.examples import RELAY, region_data
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Run, Workflow


def small_workflow(**run):
    """Return 30 ms of a region of 28 neurons that spike from the first milliseconds on."""
    data = region_data(RELAY)
    data["drives"][0]["weight"], data["drives"][1]["weight"] = "8 nS", "400 pA"
    options = {"duration": "30 ms", "engine": "reference", "seed": 3} | run
    return Workflow(name="small", run=Run.parse(options), brain=single_region_brain(Region.parse(data)))


_at_once = [0, 0]


def most_at_once(run):
    """Compute something lazy, and return how many points this process has computed at one time."""
    _at_once[0] += 1
    _at_once[1] = max(_at_once)
    float(run["rate/rate"].sum().compute())
    time.sleep(0.02)
    _at_once[0] -= 1
    return float(_at_once[1]) if _is_real(run) else 1.0


class KillOnce:
    """A reduction that kills its worker, the first time that it sees this seed."""

    __name__ = "kill_once"

    def __init__(self, folder, seed):
        self.mark, self.seed = folder / "killed", seed

    def __call__(self, run):
        if _is_real(run) and run.attrs["seed"] == self.seed and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return float(run["spikes"].sizes["spike"])


class KillAlways:
    """A reduction that kills its worker whenever it sees this seed."""

    __name__ = "kill_always"

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, run):
        if _is_real(run) and run.attrs["seed"] == self.seed:
            os.kill(os.getpid(), signal.SIGKILL)
        return float(run["spikes"].sizes["spike"])


class Slow:
    """A reduction that takes its time."""

    __name__ = "slow"

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, run):
        if _is_real(run):
            time.sleep(self.seconds)
        return float(run["spikes"].sizes["spike"])


def _is_real(run):
    """Return whether this is a run of a point, not the silent one that tells the shape of results."""
    return run["spikes"].sizes["spike"] > 0
