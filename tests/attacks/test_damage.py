"""Damage anywhere in a store is noticed, or without effect; TWINBRAIN_PLACES=200 tries so many places of each kind."""

import os

import pytest

from tests.attacks.damage import CLEAN, KINDS, NAMED, REFUSED, WRONG, attack

N_PLACES = int(os.environ.get("TWINBRAIN_PLACES", "6"))


# To train, and to run all points of a sweep, takes long.
SLOW = ("training", "complete training", "sweep with runs")


@pytest.mark.parametrize("kind", [pytest.param(k, marks=[pytest.mark.slow] * (k in SLOW)) for k in KINDS])
def test_whatever_is_damaged_is_noticed_and_named_or_without_effect(kind, tmp_path):
    found, wrong = attack(kind, tmp_path / "stores", N_PLACES)
    assert wrong == []
    assert sum(n for (_, outcome), n in found.items() if outcome in WRONG) == 0
    outcomes = {outcome for _, outcome in found}
    assert {NAMED, REFUSED} & outcomes or CLEAN in outcomes
