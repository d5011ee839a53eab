"""Seeds of the drives: other input into the same network."""

import numpy as np

from tests.examples import fingerprint, small_brain
from twinbrain.network.build import build
from twinbrain.network.layout import lay_out


def built(seed, drive_seed=None):
    brain = small_brain(3)
    return build(brain, lay_out(brain, brain.connectome), dt=0.1, seed=seed, drive_seed=drive_seed)


def test_another_seed_of_the_drives_changes_their_draws_and_nothing_else():
    one, other = built(1), built(1, drive_seed=2)
    assert [d.key for d in one.drives] != [d.key for d in other.drives]
    for table, same in zip(one.tables, other.tables, strict=True):
        np.testing.assert_array_equal(table.weight, same.weight)
        np.testing.assert_array_equal(table.post, same.post)
    for block, same in zip(one.blocks, other.blocks, strict=True):
        for name in block.constants:
            np.testing.assert_array_equal(block.constants[name], same.constants[name])


def test_drives_are_keyed_by_the_seed_unless_they_have_their_own():
    assert fingerprint(built(1)) == fingerprint(built(1, drive_seed=1))
    assert [d.key for d in built(1, drive_seed=2).drives] == [d.key for d in built(2).drives]
