"""Keys as they are written: ``brain.regions."TM-*".scale``."""

from __future__ import annotations

import re

_PART = r"""(?:"([^"]*)"|'([^']*)'|([^."']*))"""


def key_parts(key: str) -> list[str]:
    """Return the parts of a key, one of them empty if it is none; a quoted part may hold dots."""
    if not re.fullmatch(rf"{_PART}(\.{_PART})*", key):
        return [""]
    return ["".join(found) for found in re.findall(rf"(?:^|\.){_PART}", key)]
