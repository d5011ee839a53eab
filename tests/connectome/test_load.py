import itertools
import sys
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from twinbrain.connectome import connectome_names, datasets, load_connectome, read_connectome, write_connectome
from twinbrain.errors import ConnectomeError


@pytest.mark.parametrize("name", connectome_names())
def test_each_named_connectome_survives_a_round_trip(name, tmp_path):
    pytest.importorskip("tvb_data")
    connectome = load_connectome(name)
    assert connectome.name == name
    assert connectome.n_regions == int(name.removeprefix("tvb-"))
    for suffix in (".zip", ".npz"):
        write_connectome(connectome, tmp_path / f"copy{suffix}")
        assert read_connectome(tmp_path / f"copy{suffix}") == connectome


@pytest.mark.parametrize("name", connectome_names())
def test_each_named_connectome_has_two_halves_told_by_labels(name):
    pytest.importorskip("tvb_data")
    sides = load_connectome(name).hemisphere.values.tolist()
    assert sides.count("left") == sides.count("right") == len(sides) / 2


def test_the_macaque_based_connectome_is_directed():
    pytest.importorskip("tvb_data")
    weight = load_connectome("tvb-76").weight
    # The first numbers of the first two lines of the file.
    assert weight.sel(target="rA1", source="rA2") == 2
    assert weight.sel(target="rA2", source="rA1") == 3


def test_signals_run_from_cortex_through_the_basal_ganglia_to_the_thalamus():
    # Cortex, striatum, pallidum, thalamus, and not back: Alexander, DeLong & Strick 1986, doi
    # 10.1146/annurev.ne.09.030186.002041. The rows of the file are sources.
    pytest.importorskip("tvb_data")
    weight = load_connectome("tvb-96").weight
    cortex = [label for label in weight["source"].values.tolist() if label.startswith("RM-") and label.endswith("_R")]
    there = (weight.sel(target="BG-Cd_R", source=cortex) > 0).sum()
    back = (weight.sel(target=cortex, source="BG-Cd_R") > 0).sum()
    assert there > 25 > 5 > back
    chain = ("BG-Pu_R", "BG-Pa_R", "TM-F_R")
    for source, target in itertools.pairwise(chain):
        assert weight.sel(target=target, source=source) > 0
        assert weight.sel(target=source, source=target) == 0


def test_the_sides_of_two_named_connectomes_are_called_the_other_way_round():
    pytest.importorskip("tvb_data")
    one, other = load_connectome("tvb-76"), load_connectome("tvb-192")
    mirrored = [{"l": "r", "r": "l"}[label[0]] + label[1:] for label in one.labels]
    index = [other.labels.index(label) for label in mirrored]
    np.testing.assert_array_equal(one.weight.values, other.weight.values[np.ix_(index, index)])
    np.testing.assert_array_equal(one.centroids.values, other.centroids.values[index])


def test_finding_the_data_does_not_import_it():
    pytest.importorskip("tvb_data")
    sys.modules.pop("tvb_data", None)
    load_connectome("tvb-66")
    assert "tvb_data" not in sys.modules


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(datasets, "find_spec", lambda name: None)
    with pytest.raises(ConnectomeError, match=r'tvb-76: expected the package .* pip install "twinbrain\[data\]"'):
        load_connectome("tvb-76")


def test_an_incomplete_package_is_told(monkeypatch, tmp_path):
    spec = ModuleSpec("tvb_data", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(datasets, "find_spec", lambda name: spec)
    with pytest.raises(ConnectomeError, match=r"connectivity_76\.zip in the installed tvb-data, found none"):
        load_connectome("tvb-76")


def test_a_path_is_loaded_with_its_options(connectome, tmp_path):
    write_connectome(connectome, tmp_path / "three.csv")
    assert load_connectome(tmp_path / "three.csv", normalisation="max") == connectome
    assert load_connectome(str(tmp_path / "three.csv"), normalisation="max") == connectome


def test_an_unknown_name_suggests_a_near_one():
    with pytest.raises(ConnectomeError, match="found 'tvb-75'; did you mean 'tvb-76'"):
        load_connectome("tvb-75")
    with pytest.raises(ConnectomeError, match=r"absent\.npz: expected a file, found none"):
        load_connectome("absent.npz")
