import numpy as np
import pytest
from scipy.io import savemat

from twinbrain.connectome.matlab import encode_matlab, read_matlab
from twinbrain.errors import ConnectomeError

WEIGHT, LENGTH = np.array([[0.0, 2.0], [3.0, 0.0]]), np.array([[0.0, 10.0], [20.0, 0.0]])


@pytest.fixture
def make(tmp_path):
    def make(**variables):
        savemat(tmp_path / "brain.mat", variables)
        return tmp_path / "brain.mat"

    return make


def test_all_is_kept(connectome, tmp_path):
    midline = connectome.replace(hemisphere=["left", "", "right"])
    (tmp_path / "a.mat").write_bytes(encode_matlab(midline))
    assert read_matlab(tmp_path / "a.mat") == midline


def test_rows_are_targets_and_regions_without_labels_are_numbered(make):
    connectome = read_matlab(make(sc=WEIGHT, len=LENGTH))
    assert connectome.labels == ["region_01", "region_02"]
    assert connectome.weight.sel(target="region_01", source="region_02") == 2
    assert connectome.name == "brain"


@pytest.mark.parametrize(("weight", "length"), [("SC", "len"), ("Cmat", "Dmat"), ("weights", "tract_lengths")])
def test_common_names_are_guessed(make, weight, length):
    assert read_matlab(make(**{weight: WEIGHT, length: LENGTH})).length.values.tolist() == LENGTH.tolist()


def test_names_may_be_given(make):
    path = make(a=WEIGHT, b=LENGTH, c=np.array(["V1", "MT2"]))
    connectome = read_matlab(path, weight="a", length="b", labels="c")
    assert connectome.labels == ["V1", "MT2"]
    assert read_matlab(path, weight="a", length="b", labels=["V1", "MT2"]) == connectome


def test_a_missing_variable_says_which_there_are(make):
    path = make(sc=WEIGHT, other=LENGTH)
    with pytest.raises(ConnectomeError, match=r"brain\.mat: .* with the length, .* found sc, other; .* length="):
        read_matlab(path)
    with pytest.raises(ConnectomeError, match="expected a variable 'absent', found sc, other"):
        read_matlab(path, weight="absent")


def test_bad_content_is_refused_with_the_file(make):
    with pytest.raises(ConnectomeError, match=r"brain\.mat: .* found -2.0"):
        read_matlab(make(sc=-WEIGHT, len=LENGTH))
    with pytest.raises(ConnectomeError, match=r"brain\.mat: .* for 2 labels, found \(3, 3\)"):
        read_matlab(make(sc=WEIGHT, len=np.zeros((3, 3))))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"expected a \.mat file"),
        (b"junk" * 100, r"expected a \.mat file"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "save it with '-v7'"),
    ],
)
def test_a_damaged_or_newer_file_is_refused(tmp_path, data, message):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(ConnectomeError, match=message):
        read_matlab(tmp_path / "a.mat")
