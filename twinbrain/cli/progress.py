"""A progress bar: what is being done, model time, speed and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from twinbrain.cli.console import Console


@contextmanager
def progress_bar(console: Console, dt: float) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function to be told of progress; it draws a bar on a terminal and nothing elsewhere.

    Parameters
    ----------
    console : Console
        Where to draw.
    dt : float (ms)
        Time step, to show model time.
    """
    from twinbrain.run.simulate import STAGES

    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}
        start: dict[str, tuple[float, int]] = {}

        stopping = False

        def tell(what: str, done: int, total: int) -> None:
            nonlocal stopping
            if what == "stop":
                if not stopping:
                    console.print("stopping at the end of this window; to stop at once, ask again")
                stopping = True
                return
            if what not in tasks:
                tasks[what] = bar.add_task(STAGES.get(what, what), total=total, detail="")
                start[what] = time.monotonic(), done
            detail = ""
            if what == "simulate":
                since, first = start[what]
                elapsed = time.monotonic() - since
                speed = f", {elapsed / ((done - first) * dt * 1e-3):.1f} s a second" if done > first else ""
                detail = f"{done * dt * 1e-3:.2f} of {total * dt * 1e-3:g} s{speed}"
            bar.update(tasks[what], completed=done, total=total, detail=detail)

        yield tell
