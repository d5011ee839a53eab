"""Which twinbrain a process has imported: two of one version may differ, as checkouts do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import twinbrain


@dataclass(frozen=True)
class Sources:
    """The sources of a package.

    Parameters
    ----------
    folder : str
        Where they lie.
    digest : str
        SHA-256 of their names and contents (``""``: there are none, as in an archive).
    """

    folder: str
    digest: str


def sources_in(folder: Path) -> Sources:
    """Return the sources in a folder."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        text = path.read_bytes()
        digest.update(f"{name}\n{len(text)}\n".encode() + text)
    return Sources(str(folder), digest.hexdigest() if files else "")


# When this is imported, which is about when what computes is: files that change later are not what was imported.
_OWN = sources_in(Path(twinbrain.__path__[0]))


def own_sources() -> Sources:
    """Return the sources of the twinbrain that this process has imported."""
    return _OWN
