import gc
import sys

import pytest

from twinbrain.files import FileError, lines_of, parse_json, parse_toml, read_text


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfname = 1")
    assert read_text(tmp_path / "a.txt") == "name = 1"
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]


def test_other_bytes_than_text_are_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(FileError, match="expected text in UTF-8, found other bytes"):
        read_text(tmp_path / "a.txt")


@pytest.mark.parametrize("parse", [parse_json, parse_toml])
def test_depth_is_bounded(parse):
    start = "a = " if parse is parse_toml else ""
    assert parse(f"{start}{'[' * 60}{']' * 60}")
    for depth in (80, 5_000):
        with pytest.raises(FileError):
            parse(f"{start}{'[' * depth}{']' * depth}")


@pytest.mark.parametrize("parse", [parse_json, parse_toml])
def test_finalizers_of_others_do_not_run_at_the_end_of_the_stack(parse, monkeypatch):
    class Odd:
        def __del__(self):
            _descend(sys.getrecursionlimit() // 2)

    def leave_a_cycle():
        odd = Odd()
        odd.self = odd

    gc.freeze()  # what is there already would take long to look at
    failed, text = [], ("a = " if parse is parse_toml else "") + "[" * 5_000
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    before = gc.get_threshold()
    for room in range(100, 800, 100):
        leave_a_cycle()
        gc.set_threshold(gc.get_count()[0] + room)
        try:
            with pytest.raises(FileError):
                parse(text)
        finally:
            gc.set_threshold(*before)
            gc.collect()
    assert failed == []


def _descend(n):
    if n:
        _descend(n - 1)


@pytest.mark.parametrize("text", ["a." * 100 + "b = 1", "[" + "a . " * 100 + "b]", '"x".' * 100 + "y = 1"])
def test_a_key_of_many_parts_is_refused_with_its_line(text):
    with pytest.raises(FileError, match="expected keys of at most 64 parts, found more at line 3"):
        parse_toml(f"b = 1\n\n{text}")
    assert len(parse_toml("values = [" + "0.5, " * 1000 + "]")["values"]) == 1000


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[1e999]", "[1" + "0" * 400 + "]"])
def test_numbers_of_json_are_finite(text):
    with pytest.raises(FileError, match="expected finite numbers, found"):
        parse_json(text)


@pytest.mark.parametrize("text", ['{"dt": 0.1, "dt": 0.5}', '[{"a": {"dt": 1, "b": 2, "dt": 1}}]'])
def test_a_key_that_json_has_twice_is_refused(text):
    with pytest.raises(FileError, match="expected each key of a table once, found 'dt' again; take one out"):
        parse_json(text)


def test_a_fault_of_toml_has_its_line():
    with pytest.raises(FileError, match=r"expected a TOML file, found a fault in it: .* line 2"):
        parse_toml("a = 1\nb = = 2")


def test_a_long_text_is_refused():
    with pytest.raises(FileError, match="expected a TOML file of at most 2 MB, found 3 MB"):
        parse_toml("#" * 3_000_000)


def test_lines_are_counted_whatever_ends_them():
    assert lines_of("a\r\nb\rc\n") == ["a", "b", "c", ""]
    assert len(lines_of("\r\n" * 100_000)) == 100_001
    for end in ("\n", "\r"):
        with pytest.raises(FileError, match="expected at most 100,000 lines, found 100,001"):
            lines_of(end * 100_001)
    with pytest.raises(FileError, match="expected lines of at most 1,000,000 characters, found one of 1,000,001"):
        lines_of("\n" + "x" * 1_000_001)
