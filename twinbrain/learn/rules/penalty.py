"""Refuse a penalty of rates where a rule has no way to follow it."""

from __future__ import annotations

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Objective


def refuse_penalty(objective: Objective, rule: str, reason: str) -> None:
    """Check that no rates are to be penalised.

    Raises
    ------
    LearnError
        If they are.
    """
    if objective.rate_penalty:
        raise LearnError(
            f"rule {rule}: expected no rate_penalty, since {reason}, found {objective.rate_penalty:g}; set it to 0, or "
            "train by 'bptt'"
        )
