"""Types of the options of tasks. A workflow's table is checked against them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinbrain.spec.quantity import Milliseconds
from twinbrain.spec.quantity import Rate as Rate

Duration = Annotated[Milliseconds, Field(gt=0)]
"""What something lasts; written "10 ms", kept as 10.0."""
Pause = Annotated[Milliseconds, Field(ge=0)]
"""A duration that may be none."""
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""How many there are of something."""
Several = Annotated[int, Field(ge=2, le=10_000)]
"""How many there are, of what makes sense from two on and is never many, such as classes."""
Share = Annotated[float, Field(gt=0, lt=1)]
"""A part of all, from 0 to 1, the ends excluded."""
