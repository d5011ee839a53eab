import zipfile

import numpy as np
import pytest

from twinbrain.connectome.npz import encode_npz, read_npz
from twinbrain.errors import ConnectomeError


def test_all_is_kept(connectome, tmp_path):
    midline = connectome.replace(hemisphere=["left", "", "right"])
    (tmp_path / "a.npz").write_bytes(encode_npz(midline))
    assert read_npz(tmp_path / "a.npz") == midline


def test_a_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", weight=np.zeros((1, 1)), labels=["A"])
    with pytest.raises(ConnectomeError, match=r"a\.npz: expected an array 'length', found weight, labels"):
        read_npz(tmp_path / "a.npz")


def test_bad_content_is_refused_with_the_file(tmp_path):
    np.savez(tmp_path / "a.npz", weight=[[np.nan]], length=[[0]], labels=["A"])
    with pytest.raises(ConnectomeError, match=r"a\.npz: .* found nan at target='A'"):
        read_npz(tmp_path / "a.npz")


def test_a_pickle_is_not_opened(tmp_path):
    np.savez(tmp_path / "a.npz", weight=np.array([print], dtype=object), length=[[0]], labels=["A"])
    with pytest.raises(ConnectomeError, match=r"array 'weight': .* found Python objects, which are not read"):
        read_npz(tmp_path / "a.npz")


def test_a_single_array_is_no_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(2))
    with pytest.raises(ConnectomeError, match=r"expected an \.npz"):
        read_npz((tmp_path / "a.npy").rename(tmp_path / "a.npz"))


@pytest.mark.parametrize("data", [b"", b"junk", b"PK\x03\x04"])
def test_a_damaged_file_is_refused(tmp_path, data):
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ConnectomeError, match=r"expected an \.npz"):
        read_npz(tmp_path / "a.npz")


def test_an_unknown_array_is_refused_with_a_suggestion(tmp_path):
    np.savez(tmp_path / "a.npz", weight=[[0]], length=[[0]], labels=["A"], hemispheres=["left"])
    with pytest.raises(ConnectomeError, match=r"a\.npz: unknown array 'hemispheres'; did you mean 'hemisphere'"):
        read_npz(tmp_path / "a.npz")


def test_an_array_that_stands_twice_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", weight=[[0]], length=[[0]], labels=["A"])
    np.save(tmp_path / "weight.npy", [[9.0]])
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.write(tmp_path / "weight.npy", "weight.npy")
    with pytest.raises(ConnectomeError, match=r"entries of different names, found 'weight\.npy' twice"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("weight", [np.array([[1 + 2j]]), np.array([[5]], "m8[s]"), np.array([[5]], "M8[s]")])
def test_complex_numbers_and_times_are_no_weights(tmp_path, weight):
    np.savez(tmp_path / "a.npz", weight=weight, length=[[0]], labels=["A"])
    with pytest.raises(ConnectomeError, match=r"expected weight as (real numbers|numbers without a unit), found"):
        read_npz(tmp_path / "a.npz")
