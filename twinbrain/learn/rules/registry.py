"""Rules by name."""

from __future__ import annotations

from typing import Any

from twinbrain.errors import LearnError
from twinbrain.learn.rules.bptt import BackpropagationThroughTime
from twinbrain.learn.rules.rule import Rule
from twinbrain.spec.base import suggestion

RULES: dict[str, type[Rule]] = {own.name: own for own in (BackpropagationThroughTime,)}


def rule(name: str, **options: Any) -> Rule:
    """Return a rule by its name."""
    if name not in RULES:
        raise LearnError(f"train.rule: unknown rule {name!r}; {suggestion(name, RULES)}")
    return RULES[name](**options)
