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


def test_what_lacks_lengths_tells_where_they_are_named_and_how_to_make_a_file_of_it(connectome, tmp_path):
    rows = [{key: values for key, values in connectome.dataset.items() if key in ("weight", "centroids")}]
    arrays = {key: values.values for key, values in rows[0].items()}
    np.savez(tmp_path / "a.npz", labels=connectome.labels, **arrays)
    advice = r'in Python, name the array: tb\.read_connectome\(\.\.\., length="\.\.\."\), or take straight lines: '
    with pytest.raises(ConnectomeError, match=advice + r'length="centroids"; for a workflow, .*tb\.write_connectome'):
        read_connectome(tmp_path / "a.npz")
    write_connectome(read_connectome(tmp_path / "a.npz", length="centroids"), tmp_path / "own.npz")
    assert (read_connectome(tmp_path / "own.npz").length.values > 0).any()


def test_more_regions_than_memory_is_kept_for_are_refused():
    with pytest.raises(ValueError, match="expected matrices of 100,000 regions of at most 134 MB, found 80 GB"):
        lengths_between(np.zeros((100_000, 3)))
