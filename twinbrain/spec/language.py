"""Texts of models: equations, conditions, statements and names, read by the language's own parser when declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator

from twinbrain.language.lines import read_equations, read_statements
from twinbrain.language.names import check_identifier
from twinbrain.language.reader import read_condition


def _readable(read: Callable[[str], Any]) -> AfterValidator:
    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


EquationsText = Annotated[str, _readable(read_equations)]
"""Lines such as ``dv/dt = (E_L - v)/tau : volt`` and ``tau : second``."""
ConditionText = Annotated[str, _readable(read_condition)]
"""Such as ``v > V_th``."""
StatementsText = Annotated[str, _readable(read_statements)]
"""Such as ``v = V_reset; w += b``."""
NameText = Annotated[str, _readable(check_identifier)]
"""The name of a variable or a parameter."""
