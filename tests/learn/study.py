"""A workflow that trains in moments: twelve neurons, two bits."""

import tomllib

from tests.cli.small import REGION
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Workflow

TASK = {"name": "xor", "n_train": 32, "n_validation": 16, "n_test": 16}


def small_study(**training):
    """Return it, with other settings of its training if need be."""
    data = tomllib.loads(REGION)
    del data["drives"]
    brain = single_region_brain(Region.parse(data))
    train = {"task": TASK, "epochs": 2, "batch_size": 16, "precision": "float64"} | training
    return Workflow.parse({"name": "study", "brain": brain, "run": {"dt": "1 ms"}, "train": train})
