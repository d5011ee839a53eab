import warnings

import numpy as np
import pytest

from twinbrain.connectome import read_connectome, write_connectome
from twinbrain.errors import ConnectomeError, ExchangeWarning
from twinbrain.spec.connectome import Connectome

WEIGHT = np.array([[4.0, 10, 3], [10, 5, 2], [3, 2, 1]])
LENGTH = np.array([[0.0, 30, 50], [30, 0, 40], [50, 40, 0]])
LABELS = ["A", "B", "C"]


@pytest.mark.parametrize("suffix", [".zip", ".mat", ".graphml", ".csv"])
@pytest.mark.parametrize(("half", "side"), [(np.triu, "above"), (np.tril, "below")])
def test_one_triangle_is_told_and_mirrored_in_formats_of_others(tmp_path, suffix, half, side):
    path = tmp_path / f"half{suffix}"
    known = {"centroids": np.eye(3), "hemisphere": ["left", "left", "right"]}  # without which there is no .zip
    write_connectome(Connectome(half(WEIGHT), half(LENGTH), LABELS, **known), path)
    with pytest.warns(ExchangeWarning, match=f"all its weights are {side} the diagonal.*-symmetric"):
        read = read_connectome(path)
    np.testing.assert_array_equal(read.weight, half(WEIGHT))
    mirrored = read_connectome(path, triangle="mirror")
    np.testing.assert_array_equal(mirrored.weight, WEIGHT)
    np.testing.assert_array_equal(mirrored.length, LENGTH)


@pytest.mark.parametrize("half", [np.triu, np.tril])
def test_a_weight_is_mirrored_with_its_own_length(half, tmp_path):
    directed = LENGTH + np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]])
    directed[0, 2] = directed[2, 0] = 0
    for number, length in enumerate((directed, half(directed), half(directed).T)):
        path = tmp_path / f"{number}.npz"
        write_connectome(Connectome(half(WEIGHT), length, LABELS), path)
        known = half(length) if half(length).any() else half(length.T)
        read = read_connectome(path, triangle="mirror")
        np.testing.assert_array_equal(read.length, known + known.T)


def test_a_chain_that_is_meant_and_a_pair_are_read_as_they_are(tmp_path):
    chain, pair = tmp_path / "chain.npz", tmp_path / "pair.npz"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = Connectome(np.triu(WEIGHT, 1), LENGTH, LABELS, name="chain")
        write_connectome(made, chain)
        write_connectome(made.select(["A", "B"]), pair)
        assert read_connectome(chain) == made
        assert read_connectome(pair) == made.select(["A", "B"])
    np.testing.assert_array_equal(read_connectome(chain, triangle="mirror").weight, WEIGHT - np.diag(WEIGHT.diagonal()))


def test_what_cannot_be_mirrored_is_refused(tmp_path):
    write_connectome(Connectome(WEIGHT, LENGTH, LABELS), tmp_path / "whole.npz")
    with pytest.raises(ConnectomeError, match=r"whole\.npz: expected weights on one side of the diagonal"):
        read_connectome(tmp_path / "whole.npz", triangle="mirror")
    with pytest.raises(ConnectomeError, match="triangle as one of mirror, directed, found 'upper'"):
        read_connectome(tmp_path / "whole.npz", triangle="upper")
