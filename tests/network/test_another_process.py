"""What follows from a declaration is the same in every process, in which sets and hashes have another order."""

import hashlib

from tests.examples import build_brain, fingerprint, in_another_process, relay_region, small_brain
from tests.models.steps import COMBINATIONS, models
from tests.network.test_partition import cut
from twinbrain.models.step import step_program
from twinbrain.network.random import stream_key, words


def derived():
    """Return it by name: each a text."""
    programs = [repr(step_program(*models(*combination))) for combination in COMBINATIONS]
    return {
        "digests": f"{small_brain().digest} {relay_region().digest}",
        "random words": f"{stream_key(3, 'weight', 'V1')} {words(stream_key(3, 'x'), 2)}",
        "programs": hashlib.sha256("".join(programs).encode()).hexdigest(),
        "network": fingerprint(build_brain(small_brain(3))),
        "shards": str(cut(small_brain(9), 3).nodes),
    }


def test_what_is_derived_is_the_same_in_another_process():
    """All in one, since a process takes longer to start than to derive it."""
    code = "from tests.network.test_another_process import derived\nprint(derived())"
    assert in_another_process(code, hash_seed=1) == str(derived())
