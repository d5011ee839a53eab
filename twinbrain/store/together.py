"""Writes at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(writes: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Await all; when one fails, its error is raised once none is under way any more."""
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
