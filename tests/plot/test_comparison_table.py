import io

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.trained import make_comparison
from twinbrain import plot


def test_the_table_has_a_row_a_condition_and_the_caveat():
    study = make_comparison()
    lines = plot.comparison_table(study).splitlines()
    assert len(lines) == 2 + 6 + 1 + 3
    assert len({line.count("|") for line in lines[:8]}) == 1
    row = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert row[:3] == ["homogeneous, tuned", "6", "12.4 k"]
    assert row[3].startswith(f"{100 * float(study['accuracy'][0].mean()):.1f} [")
    assert row[4] == "reference"
    assert study.attrs["caveat"] in lines[-1]
    assert "Chance is 25 %.  " in lines


def test_a_bar_or_a_line_break_in_a_name_does_not_break_the_table():
    head, _, row, other, *_ = plot.comparison_table(make_comparison({"a|b\nc": 0.5, "d": 0.6})).splitlines()
    assert row.startswith("| a\\|b c | 6 |")
    assert "| over a\\|b c (points) [95 %] |" in head
    assert head.count("|") == row.count("|") == other.count("|") + 1


def test_rows_go_into_a_table_of_rich():
    header, rows = plot.comparison_rows(make_comparison())
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    console = Console(file=io.StringIO(), width=220)
    console.print(table)
    assert "heterogeneous, trained" in console.file.getvalue()


def test_contrasts_have_a_table_of_their_own_and_their_number_is_said():
    study = make_comparison({"alike": 0.5, "spread": 0.5, "adapting": 0.8})
    study.attrs["contrasts"] = {"parameters": ("spread", "alike"), "adaptation": ("adapting", "alike")}
    header, rows = plot.contrast_rows(study)
    assert header[-1] == "points [97.5 %]"
    assert rows[1][:4] == ["adaptation", "adapting", "alike", "6"]
    text = plot.comparison_table(study)
    assert "| contrast | of | against | seeds | points [97.5 %] |" in text
    assert "Those of the 2 contrasts are wider" in text


def test_a_difference_that_may_be_nothing_is_not_told_apart():
    study = make_comparison({"a": 0.7, "b": 0.9, "c": 0.7})
    study["accuracy"][2] = study["accuracy"][0] + np.array([0.01, -0.01] * 3)
    remarks = plot.comparison_remarks(study)
    assert "Not told apart from a: c." in remarks
    assert not any(remark.startswith("Intervals that overlap") for remark in remarks)


def test_single_seeds_and_failed_conditions_are_named():
    study = make_comparison({"a": 0.7, "b": 0.9, "c": 0.7})
    study["accuracy"][1, 1:] = np.nan
    study["accuracy"][2] = np.nan
    remarks = plot.comparison_remarks(study)
    assert "No result: c." in remarks
    assert "A single seed, and so no interval: b." in remarks
    assert plot.comparison_rows(study)[1][2][3] == "–"


def test_where_chance_differs_it_has_a_column_and_tasks_are_told_apart():
    study = make_comparison({"a": 0.7, "b": 0.9, "c": 0.7})
    del study.attrs["chance"]
    study = study.assign(chance=("condition", [0.25, 0.25, 0.125]))
    header, rows = plot.comparison_rows(study)
    assert [row[header.index("chance (%)")] for row in rows] == ["25", "25", "12.5"]
    assert rows[2][header.index("over a (points) [95 %]")] == "–"
    remarks = plot.comparison_remarks(study)
    assert remarks[0].startswith("Conditions of different tasks")
    assert remarks[0].endswith(": a, b; c.")
    assert not any(remark.startswith(("Chance", "Not told apart", "Intervals that")) for remark in remarks)
