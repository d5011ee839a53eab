"""What each rule needs to know, as a table."""

from __future__ import annotations

from dataclasses import asdict

from twinbrain.learn.rules.registry import RULES

COLUMNS = {
    "rule": "rule",
    "weights": "weights of others",
    "signal": "signal from outside",
    "when": "when",
    "memory": "memory for n steps",
    "reference": "source",
}


def locality_table() -> list[dict[str, str]]:
    """Return for each rule its name, the fields of its `Locality`, and its reference."""
    return [{"rule": name, **asdict(own.locality), "reference": own.reference} for name, own in RULES.items()]


def locality_markdown() -> str:
    """Return the table in Markdown."""
    lines = [
        "| " + " | ".join(COLUMNS.values()) + " |",
        "| " + " | ".join("---" for _ in COLUMNS) + " |",
    ]
    for row in locality_table():
        cells = {key: row[key] for key in COLUMNS} | {"rule": f"`{row['rule']}`"}
        lines.append("| " + " | ".join(cells.values()) + " |")
    return "\n".join(lines)
