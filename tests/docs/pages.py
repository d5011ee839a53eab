"""Pages as programs: their blocks run in order, in one folder, as a reader would run them.

What a reader does not see stands in comments above a block:

- ``<!-- file: drive.toml -->``: the reader is told to save the block under this name.
- ``<!-- not run: needs Slurm -->``: why nobody can run it here.
- ``<!-- in tests: "1 s" => "20 ms" -->``: what is shortened, unless `WHOLE` is wanted, as ``make pages`` does.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tomllib
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from twinbrain.cli import main

ROOT = Path(__file__).parents[2]
CELL = "{code-cell} ipython3"
WHOLE = os.environ.get("TWINBRAIN_PAGES") == "whole"

_BLOCK = re.compile(r"(?P<comments>(?:^<!--.*?-->\n+)*)^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
_COMMENT = re.compile(r"<!-- (not run|file|in tests): (.*?) -->")
# Commands that make the environment in which the page runs already.
_INSTALLS = ("pip install", "make ")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and what the comments above it say."""

    page: str
    line: int
    language: str
    text: str
    file: str = ""
    not_run: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}, line {self.line}"

    def run(self, ran: Ran) -> None:
        """Do what a reader does with the block."""
        if self.language == "toml":
            tomllib.loads(self.text)
        if self.file:
            Path(self.file).parent.mkdir(parents=True, exist_ok=True)
            Path(self.file).write_text(self.text, encoding="utf-8")
        elif self.not_run:
            return
        elif self.language == CELL:
            lines = [line for line in self.text.splitlines() if not line.startswith("%")]  # magic of notebooks
            exec(compile("\n".join(lines), self.place, "exec"), ran.names)
        elif self.language == "python":
            exec(compile(self.text, self.place, "exec"), ran.names)
        elif self.language == "bash":
            for line in self.text.splitlines():
                _run_command(line, self)


@dataclass
class Ran:
    """What came of a page."""

    names: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})
    output: str = ""


def pages() -> list[str]:
    """Return the pages that have blocks to run."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [str(page.relative_to(ROOT)) for page in found if any(map(_is_run, blocks(page)))]


def blocks(page: str | Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    return [_block(str(path.relative_to(ROOT)), text, match) for match in _BLOCK.finditer(text)]


def _block(page: str, text: str, match: re.Match[str]) -> Block:
    told: dict[str, str] = {}
    content = match["text"]
    for kind, value in _COMMENT.findall(match["comments"]):
        if kind == "in tests":
            before, _, after = value.partition(" =>")
            assert before in content, f"{page}: {before!r} is to be shortened, and is not there"
            content = content if WHOLE else content.replace(before, after.strip())
        else:
            told[kind.replace(" ", "_")] = value
    return Block(page, text[: match.start("text")].count("\n"), match["language"], content, **told)


def _is_run(block: Block) -> bool:
    return block.language in ("python", "bash", CELL) and not block.not_run


def run_page(page: str) -> Ran:
    """Run a page in the working folder, which is empty."""
    ran = Ran()
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            for block in blocks(page):
                try:
                    block.run(ran)
                except Exception as error:
                    error.add_note(f"in {block.place}")
                    raise
    finally:
        _close_figures()
    ran.output = printed.getvalue()
    return ran


def _close_figures() -> None:
    """Close what a notebook closes by itself after each cell: the figures of pyplot that a page made."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


def _run_command(line: str, block: Block) -> None:
    """Run a command of ours in this process: starting one anew would take as long as many of them."""
    if not (words := shlex.split(line, comments=True)) or line.startswith(_INSTALLS):
        return
    assert words[0] == "twinbrain", f"{block.place}: a command that is not ours needs a comment 'not run': {line}"
    before, sys.argv = sys.argv, words
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise AssertionError(f"{block.place}: {line} ends with exit code {end.code}") from None
    finally:
        sys.argv = before
