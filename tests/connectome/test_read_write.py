import os
from pathlib import Path

import pytest

from twinbrain.connectome import read_connectome, write_connectome
from twinbrain.errors import ConnectomeError

SUFFIXES = [".zip", ".npz", ".mat", ".graphml", ".csv", ".tsv"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_suffix_tells_the_format(connectome, tmp_path, suffix):
    files = write_connectome(connectome, str(tmp_path / f"three{suffix}"))
    assert sorted(files) == sorted(tmp_path.iterdir())
    read = read_connectome(tmp_path / f"three{suffix}")
    assert read.replace(normalisation="max") == connectome


def test_unknown_suffixes_list_the_known_ones(connectome, tmp_path):
    message = r"type \.zip, \.npz, \.mat, \.graphml, \.csv, \.tsv, found '\.xlsx'"
    with pytest.raises(ConnectomeError, match=message.replace("tsv", r"tsv, \.txt")):
        read_connectome(tmp_path / "a.xlsx")
    with pytest.raises(ConnectomeError, match=message):
        write_connectome(connectome, tmp_path / "a.xlsx")
    with pytest.raises(ConnectomeError, match="found 'no suffix'"):
        read_connectome(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConnectomeError, match=r"a\.npz: expected a file, found none"):
        read_connectome(tmp_path / "a.npz")


def test_an_unknown_option_suggests_a_near_one(connectome, tmp_path):
    write_connectome(connectome, tmp_path / "a.mat")
    with pytest.raises(ConnectomeError, match=r"unknown option 'weights' for a \.mat file; did you mean 'weight'"):
        read_connectome(tmp_path / "a.mat", weights="w")


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".mat", {"length": "other.mat"}), (".csv", {"length": "other.csv"}), (".zip", {"length": "tract_lengths"})],
)
def test_a_path_may_be_a_path_object_wherever_it_may_be_text(connectome, tmp_path, monkeypatch, suffix, options):
    monkeypatch.chdir(tmp_path)
    write_connectome(connectome, Path(f"three{suffix}"))
    write_connectome(connectome, Path(f"other{suffix}"))
    expected = read_connectome(f"three{suffix}", **options)
    assert read_connectome(f"three{suffix}", **{key: Path(value) for key, value in options.items()}) == expected


def test_a_path_in_place_of_a_key_is_told_as_a_key_that_is_not_there(connectome, tmp_path):
    write_connectome(connectome, tmp_path / "a.graphml")
    with pytest.raises(ConnectomeError, match="expected a label on every node, as x; found the keys dn_area"):
        read_connectome(tmp_path / "a.graphml", label=Path("x"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_overwritten_only_when_told(connectome, tmp_path, suffix):
    path = tmp_path / f"three{suffix}"
    files = write_connectome(connectome, path)
    before = [file.read_bytes() for file in files]
    double = connectome.replace(weight=2 * connectome.weight)
    with pytest.raises(ConnectomeError, match=r"expected no such file, found one; .* overwrite=True"):
        write_connectome(double, path)
    assert [file.read_bytes() for file in files] == before
    write_connectome(double, path, overwrite=True)
    assert read_connectome(path).replace(normalisation="max") == double


def test_a_missing_folder_is_named(connectome, tmp_path):
    with pytest.raises(ConnectomeError, match=r"expected the folder .*absent, found none"):
        write_connectome(connectome, tmp_path / "absent" / "a.npz")


def test_nothing_is_left_behind_when_writing_fails(connectome, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ConnectomeError, match="disk full"):
        write_connectome(connectome, tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_normalisation_of_a_file_is_refused(connectome, tmp_path):
    write_connectome(connectome.replace(normalisation="rows"), tmp_path / "a.npz")
    with pytest.raises(
        ConnectomeError, match=r"a\.npz: expected the normalisation .* found 'rows'; did you mean 'row'"
    ):
        read_connectome(tmp_path / "a.npz")
