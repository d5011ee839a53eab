import numpy as np
import pytest

from twinbrain.connectome import read_connectome, write_connectome
from twinbrain.connectome.lengths import lengths_between
from twinbrain.errors import ConnectomeError


@pytest.mark.parametrize("suffix", ["zip", "npz", "mat", "graphml", "csv", "tsv"])
def test_every_format_gives_straight_lines_between_its_centroids(connectome, tmp_path, suffix):
    write_connectome(connectome, tmp_path / f"a.{suffix}")
    found = read_connectome(tmp_path / f"a.{suffix}", length="centroids").length.values
    distances = np.linalg.norm(connectome.centroids.values[:, None] - connectome.centroids.values, axis=2)
    np.testing.assert_allclose(found, distances, rtol=1e-12)


def test_without_centroids_there_are_no_straight_lines(connectome, tmp_path):
    write_connectome(connectome.replace(centroids=None), tmp_path / "a.npz")
    with pytest.raises(ConnectomeError, match=r"a\.npz: expected centroids for length=\"centroids\", found none"):
        read_connectome(tmp_path / "a.npz", length="centroids")


def test_more_regions_than_memory_is_kept_for_are_refused():
    with pytest.raises(ValueError, match="expected matrices of 100,000 regions of at most 134 MB, found 80 GB"):
        lengths_between(np.zeros((100_000, 3)))
