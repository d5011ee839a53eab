"""What the free text ``info.txt`` of a TVB zip tells: units, name and normalisation."""

from __future__ import annotations

import re

from twinbrain.errors import ConnectomeError
from twinbrain.files import lines_of

_UNITS = {
    "lengths?[ _]units?": ("mm", "millimeter", "millimetre", "millimeters", "millimetres"),
    "areas?[ _]units?": ("mm^2", "mm2", "mm²", "mm**2"),
}
_AROUND = " \t.()[]"  # what a sentence has around a unit
_VALUE = r"""[ \t]*+[=:][ \t]*+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"',;]+))"""


def settings_of(text: str) -> dict[str, str]:
    """Return the name, the normalisation and the hemispheres, as far as they stand there as ``key = "value"``.

    Raises
    ------
    ConnectomeError
        If units are others than mm and mm^2, or a setting stands twice.
    """
    for key, expected in _UNITS.items():
        for found in re.finditer(key + _VALUE, text, re.IGNORECASE):
            unit = next(group for group in found.groups() if group is not None)
            if unit.strip(_AROUND).casefold() not in expected:
                told = " ".join(found[0].split())
                raise ConnectomeError(f"expected the unit {expected[0]!r}, found {told}; convert the numbers")
    about: dict[str, str] = {}
    for line in lines_of(text):
        if setting := re.fullmatch(r"\s*(name|normalisation|hemispheres)\s*[=:]\s*(\S.*)", line, re.IGNORECASE):
            key, value = setting[1].lower(), setting[2].strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            elif " " in value:  # a sentence
                continue
            if about.setdefault(key, value) != value:
                raise ConnectomeError(f"expected one {key}, found {about[key]!r} and {value!r}; take one out")
    return about


def info_text(about: dict[str, str]) -> str:
    """Return the text of which `settings_of` reads settings, in units that it takes.

    Raises
    ------
    ConnectomeError
        If it would read others, since one has a line of its own in it, or what looks like a unit.
    """
    units = 'weights_unit = "au"\nlength_unit = "mm"\narea_unit = "mm^2"\n'
    text = units + "".join(f'{key} = "{value}"\n' for key, value in about.items())
    try:
        text.encode()
        kept = settings_of(text) == about
    except (ConnectomeError, UnicodeEncodeError):
        kept = False
    if not kept:
        named = ", ".join(f"{key} {value!r}" for key, value in about.items())
        raise ConnectomeError(
            f"a TVB zip needs a name in one line, without units, found {named}; write .npz, or rename it"
        )
    return text
