"""Rules by name."""

from __future__ import annotations

from typing import Any

from twinbrain.errors import LearnError
from twinbrain.learn.options import given_options, options_of
from twinbrain.learn.rules.bptt import BackpropagationThroughTime
from twinbrain.learn.rules.direct_feedback_alignment import DirectFeedbackAlignment
from twinbrain.learn.rules.eprop import EProp
from twinbrain.learn.rules.eventprop import EventProp
from twinbrain.learn.rules.feedback_alignment import FeedbackAlignment
from twinbrain.learn.rules.forward_forward import ForwardForward
from twinbrain.learn.rules.frozen_hidden import FrozenHidden
from twinbrain.learn.rules.kolen_pollack import KolenPollack
from twinbrain.learn.rules.ottt import OnlineTrainingThroughTime
from twinbrain.learn.rules.reward_stdp import RewardSTDP
from twinbrain.learn.rules.rule import Rule
from twinbrain.learn.rules.shuffled_errors import ShuffledErrors
from twinbrain.learn.rules.stdp_readout import STDPReadout
from twinbrain.spec.suggest import suggestion

_ALL: tuple[type[Rule], ...] = (
    BackpropagationThroughTime,
    FeedbackAlignment,
    KolenPollack,
    DirectFeedbackAlignment,
    EProp,
    OnlineTrainingThroughTime,
    EventProp,
    RewardSTDP,
    STDPReadout,
    ForwardForward,
)
RULES: dict[str, type[Rule]] = {own.name: own for own in _ALL}
CONTROLS: dict[str, type[Rule]] = {own.name: own for own in (FrozenHidden, ShuffledErrors)}
"""What rules are held against; chosen by name as they are."""


def rule(name: str, **options: Any) -> Rule:
    """Return a rule by its name.

    Parameters
    ----------
    name : str
        Such as ``"bptt"``; see `rule_names`. Of the controls there are ``"frozen_hidden"`` and ``"shuffled_errors"``,
        which takes the name of another rule as option ``of``, and that rule's options.
    **options
        Of the rule; times, rates and slopes as text with a unit, such as ``tau_c="500 ms"``, or as a number of ms, Hz
        or mV/ms.

    Raises
    ------
    LearnError
        If there is no such rule, or it has no such option.
    SpecError
        If an option is of another type or unit, or no finite number: all that are.
    """
    if name == ShuffledErrors.name:
        return ShuffledErrors(rule(str(options.pop("of", "bptt")), **options))
    known = RULES | CONTROLS
    if name not in known:
        raise LearnError(f"train.rule: unknown rule {name!r}; {suggestion(name, known)}")
    for option in options:
        if option not in rule_options(name):
            raise LearnError(f"train.rule: {name} has no option {option!r}; {suggestion(option, rule_options(name))}")
    return known[name](**given_options(known[name], options, f"train.rule: {name}"))


def rule_names() -> list[str]:
    """Return the names of all rules, without those of controls."""
    return list(RULES)


def rule_options(name: str) -> dict[str, Any]:
    """Return the options of a rule, and their defaults."""
    if name == ShuffledErrors.name:
        return {"of": "bptt"}
    return {key: field.default for key, field in options_of((RULES | CONTROLS)[name]).model_fields.items()}
