"""What holds for every connectome."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinbrain.connectome import normalisation_names, normalise, read_connectome, write_connectome
from twinbrain.spec.connectome import Connectome

# No label here has a mirror image, from which a reader would tell a hemisphere.
LABELS = st.text(st.characters(categories=["Ll", "Nd"], exclude_characters="lr"), min_size=1, max_size=6)
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8)
AMOUNTS = st.just(0.0) | st.floats(1e-12, 1e12)

laws = settings(deadline=None, max_examples=25)
files = settings(deadline=None, max_examples=12)


@st.composite
def connectomes(draw, max_regions=5):
    labels = draw(st.lists(LABELS.map("n".__add__), min_size=1, max_size=max_regions, unique=True))
    n = len(labels)

    def numbers(shape, elements=AMOUNTS):
        return draw(hnp.arrays(np.float64, shape, elements=elements))

    def perhaps(strategy):
        return draw(st.none() | st.lists(strategy, min_size=n, max_size=n))

    return Connectome(
        numbers((n, n)),
        numbers((n, n)),
        labels,
        centroids=numbers((n, 3), st.floats(-200, 200)),
        hemisphere=perhaps(st.sampled_from(["left", "right"])),
        cortical=perhaps(st.booleans()),
        area=perhaps(AMOUNTS),
        name=draw(NAMES),
        normalisation=draw(st.sampled_from(["none", "row", "log+row"])),
    )


@pytest.mark.parametrize("suffix", [".zip", ".npz", ".mat", ".graphml"])
@files
@given(connectome=connectomes())
def test_what_is_written_is_read(tmp_path_factory, suffix, connectome):
    path = tmp_path_factory.mktemp("laws") / f"brain{suffix}"
    write_connectome(connectome, path)
    assert read_connectome(path, triangle="directed") == connectome


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@files
@given(connectome=connectomes())
def test_tables_keep_all_but_name_and_normalisation(tmp_path_factory, suffix, connectome):
    path = tmp_path_factory.mktemp("laws") / f"brain{suffix}"
    write_connectome(connectome, path)
    read = read_connectome(path, normalisation=connectome.normalisation, triangle="directed")
    assert read == connectome.replace(name="brain")


@laws
@given(connectome=connectomes())
def test_a_dataset_holds_all(connectome):
    assert Connectome.from_dataset(connectome.to_dataset()) == connectome


@laws
@given(connectome=connectomes(), data=st.data())
def test_a_selection_keeps_order_and_entries(connectome, data):
    chosen = data.draw(st.lists(st.sampled_from(connectome.labels), min_size=1, unique=True))
    part = connectome.select(chosen)
    assert part.labels == [label for label in connectome.labels if label in chosen]
    for target in chosen:
        for source in chosen:
            where = {"target": target, "source": source}
            assert part.weight.sel(where) == connectome.weight.sel(where)


@pytest.mark.parametrize("name", normalisation_names())
@laws
@given(connectome=connectomes())
def test_a_normalisation_is_idempotent_and_changes_weights_alone(name, connectome):
    once = normalise(connectome, name)
    assert normalise(once, name) == once
    assert once.replace(weight=connectome.weight, normalisation=connectome.normalisation) == connectome


@pytest.mark.parametrize("name", normalisation_names())
@laws
@given(connectome=connectomes())
def test_a_normalisation_keeps_what_is_connected(name, connectome):
    weight = normalise(connectome, name).weight
    np.testing.assert_array_equal(weight > 0, connectome.weight > 0)


@laws
@given(connectome=connectomes().map(lambda connectome: connectome.replace(normalisation="none")))
def test_rows_sum_to_one_total_to_one_on_average_and_max_and_log_reach_one(connectome):
    others = ~np.eye(connectome.n_regions, dtype=bool)
    connected = connectome.weight.values > 0
    normalised = {name: normalise(connectome, name).weight.values for name in normalisation_names()}
    np.testing.assert_allclose((normalised["row"] * others).sum(axis=1), (connected & others).any(axis=1))
    np.testing.assert_allclose((normalised["total"] * others).sum(axis=1).mean(), (connected & others).any())
    assert normalised["max"].max() == normalised["log"].max() == connected.any()
