import sys

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from twinbrain.connectome.matlab import encode_matlab, read_matlab
from twinbrain.errors import ConnectomeError, ExchangeWarning

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
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "of version 7.3 and no more; copy it again"),
    ],
)
def test_a_damaged_or_newer_file_is_refused(tmp_path, data, message):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(ConnectomeError, match=message):
        read_matlab(tmp_path / "a.mat")


def test_a_sparse_matrix_is_filled(make):
    found = read_matlab(make(sc=csc_matrix(WEIGHT), len=LENGTH))
    np.testing.assert_array_equal(found.weight, WEIGHT)


def test_labels_are_read_from_rows_of_characters_codes_and_one_text(make):
    codes = np.array([[76, 86, 49], [82, 86, 49]], np.uint16)
    rows = np.array(["LV1  ", "RV1  "])
    cells = np.empty(2, object)
    cells[:] = [codes[0], codes[1]]
    for labels in (codes, rows, cells, "LV1\nRV1", "LV1, RV1", "LV1 RV1"):
        assert read_matlab(make(sc=WEIGHT, len=LENGTH, labels=labels)).labels == ["LV1", "RV1"]
    for numbers in (["1001", "1000001"], ["0.5", "1.0000001"]):
        assert read_matlab(make(sc=WEIGHT, len=LENGTH, labels=np.array(numbers, float))).labels == numbers


def test_imaginary_parts_are_never_dropped(make):
    with pytest.raises(ConnectomeError, match=r"sc: expected real numbers, found complex ones; take their size"):
        read_matlab(make(sc=WEIGHT * (1 + 1j), len=LENGTH))
    np.testing.assert_array_equal(read_matlab(make(sc=WEIGHT.astype(complex), len=LENGTH)).weight, WEIGHT)


def test_fields_of_structs_are_guessed_or_named(make):
    path = make(brain={"structure": {"SC": WEIGHT, "len": LENGTH}, "labels": np.array(["A", "B"], object)})
    connectome = read_matlab(path)
    assert connectome.labels == ["A", "B"]
    np.testing.assert_array_equal(connectome.weight, WEIGHT)
    path = make(brain={"first": WEIGHT, "second": LENGTH})
    np.testing.assert_array_equal(read_matlab(path, weight="brain.first", length="brain.second").length, LENGTH)
    with pytest.raises(ConnectomeError, match=r"found brain\.first, brain\.second; say which it is"):
        read_matlab(path)


def test_lengths_in_a_file_beside_are_found_as_neurolib_lays_them_out(tmp_path):
    savemat(tmp_path / "DTI_CM.mat", {"sc": WEIGHT})
    with pytest.raises(
        ConnectomeError, match=r"found sc; in Python, name a variable or another \.mat file: tb\.read_connectome"
    ):
        read_matlab(tmp_path / "DTI_CM.mat")
    savemat(tmp_path / "DTI_LEN.mat", {"len": LENGTH})
    np.testing.assert_array_equal(read_matlab(tmp_path / "DTI_CM.mat").length, LENGTH)
    savemat(tmp_path / "other.mat", {"len": 2 * LENGTH})
    found = read_matlab(tmp_path / "DTI_CM.mat", length=str(tmp_path / "other.mat"))
    np.testing.assert_array_equal(found.length, 2 * LENGTH)


def test_lengths_may_be_straight_lines(make):
    path = make(sc=WEIGHT, centres=[[0.0, 0, 0], [3, 4, 12]])
    assert read_matlab(path, length="centroids").length.values.tolist() == [[0, 13], [13, 0]]
    with pytest.raises(ConnectomeError, match='or take straight lines: length="centroids"'):
        read_matlab(path)
    with pytest.raises(ConnectomeError, match="expected centroids for length="):
        read_matlab(make(sc=WEIGHT), length="centroids")


@pytest.fixture
def make_73(tmp_path):
    """Write variables as MATLAB's version 7.3 does: transposed, cells as references, texts as codes, in HDF5."""

    def put(file, parent, name, value):
        if isinstance(value, dict):
            group = parent.create_group(name)
            group.attrs["MATLAB_class"] = np.bytes_("struct")
            for key, inner in value.items():
                put(file, group, key, inner)
        elif isinstance(value, list):
            references = []
            for item in value:
                put(file, file.require_group("#refs#"), f"{name}{len(references)}", item)
                references.append([file[f"#refs#/{name}{len(references)}"].ref])
            parent.create_dataset(name, data=references, dtype=h5py.ref_dtype)
            parent[name].attrs["MATLAB_class"] = np.bytes_("cell")
        elif isinstance(value, str):
            parent[name] = np.array([list(map(ord, value))], np.uint16).T
            parent[name].attrs["MATLAB_class"] = np.bytes_("char")
        elif isinstance(value, csc_matrix):
            group = parent.create_group(name)
            group.attrs["MATLAB_class"] = np.bytes_("double")
            group.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
            group["data"], group["ir"] = value.data, value.indices.astype(np.uint64)
            group["jc"] = value.indptr.astype(np.uint64)
        else:
            if np.iscomplexobj(value):
                kind = np.dtype([("real", "f8"), ("imag", "f8")])
                value = np.ascontiguousarray(value).view(kind).reshape(value.shape)
            parent.create_dataset(name, data=value.T, compression="gzip", chunks=value.shape)
            parent[name].attrs["MATLAB_class"] = np.bytes_("double")

    def make_73(**variables):
        path = tmp_path / "new.mat"
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, value in variables.items():
                put(file, file, name, value)
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\x00\x02IM")
        return path

    return make_73


def test_version_73_is_read_as_older_versions_are(make, make_73):
    cells = np.array(["lV1", "rMT"], dtype=object)
    expected = read_matlab(make(sc=WEIGHT, len=LENGTH, labels=cells, name="n"))
    found = read_matlab(make_73(sc=WEIGHT, len=LENGTH, labels=["lV1", "rMT"], name="n"))
    assert found == expected
    found = read_matlab(make_73(brain={"sc": csc_matrix(WEIGHT), "len": LENGTH}, labels=["lV1", "rMT"], name="n"))
    assert found == expected
    with pytest.raises(ConnectomeError, match="sc: expected real numbers, found complex ones"):
        read_matlab(make_73(sc=WEIGHT * 1j, len=LENGTH))


def test_version_73_without_h5py_names_the_extra(make_73, monkeypatch):
    path = make_73(sc=WEIGHT, len=LENGTH)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ConnectomeError, match=r'package h5py, found none; .*"twinbrain\[exchange\]"'):
        read_matlab(path)


def test_lengths_are_those_beside_the_weights(make):
    both = {"a": {"sc": WEIGHT, "len": LENGTH}, "b": {"sc": 3 * WEIGHT, "len": 3 * LENGTH}}
    for name, factor in (("a", 1), ("b", 3)):
        found = read_matlab(make(**both), weight=f"{name}.sc")
        np.testing.assert_array_equal(found.length, factor * LENGTH)
    np.testing.assert_array_equal(read_matlab(make(**both), weight="a.sc", length="b.len").length, 3 * LENGTH)
    with pytest.raises(ConnectomeError, match=r'with the weight, found a\.sc, b\.sc; say which it is: weight="'):
        read_matlab(make(**both))
    del both["b"]["len"]
    with pytest.raises(ConnectomeError, match=r'expected a variable with the length, .* length="'):
        read_matlab(make(**both), weight="b.sc")
    np.testing.assert_array_equal(read_matlab(make(**both, len=2 * LENGTH), weight="b.sc").length, 2 * LENGTH)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"SC": WEIGHT}, 'one variable with the weight, found sc, SC; say which it is: weight="'),
        ({"weights": WEIGHT}, 'one variable with the weight, found sc, weights; say which it is: weight="'),
        ({"length": LENGTH}, 'one variable with the length, found len, length; say which it is: length="'),
        ({"labels": ["A", "B"], "names": ["C", "D"]}, 'with the labels, found labels, names; say which .* labels="'),
    ],
)
def test_none_wins_of_several_candidates(make, more, message):
    with pytest.raises(ConnectomeError, match=message):
        read_matlab(make(sc=WEIGHT, len=LENGTH, **more))


def test_all_that_a_struct_tells_of_regions_is_read(make):
    about = {"hemisphere": np.array(["left", "right"], object), "area": np.array([5.0, 6]), "normalisation": "max"}
    path = make(brain={"sc": WEIGHT, "len": LENGTH} | about, roi={"area": np.ones(9), "labels": np.ones(9)})
    found = read_matlab(path)
    assert found.hemisphere.values.tolist() == ["left", "right"]
    assert found.area.values.tolist() == [5, 6]
    assert found.normalisation == "max"
    assert found.labels == ["region_01", "region_02"]


def test_labels_in_another_order_than_those_of_the_file_are_refused(make):
    about = {"sc": WEIGHT, "len": LENGTH, "labels": np.array(["A", "B"], object)}
    with pytest.raises(ConnectomeError, match=r"order of the rows, .* found 'B' at 1, the label of row 2; sort"):
        read_matlab(make(**about), labels=["B", "A"])
    assert read_matlab(make(**about), labels=["V1", "V2"]).labels == ["V1", "V2"]
    # Of two variables none is meant, and labels may well be given.
    assert read_matlab(make(**about, names=np.array(["B", "A"], object)), labels=["B", "A"]).labels == ["B", "A"]


def test_labels_of_two_files_agree(tmp_path):
    def save(name, matrix, labels):
        savemat(tmp_path / name, matrix | ({"labels": np.array(labels, object)} if labels else {}))

    save("X_CM.mat", {"sc": WEIGHT}, ["A", "B"])
    save("X_LEN.mat", {"len": LENGTH}, ["B", "A"])
    with pytest.raises(ConnectomeError, match="the regions of the lengths labelled as those of the weights"):
        read_matlab(tmp_path / "X_CM.mat")
    save("X_CM.mat", {"sc": WEIGHT}, None)
    assert read_matlab(tmp_path / "X_CM.mat").labels == ["B", "A"]
    save("X_CM_length.mat", {"len": LENGTH}, None)
    with pytest.raises(ConnectomeError, match=r"one file of lengths beside it, found X_CM_length\.mat, X_LEN\.mat"):
        read_matlab(tmp_path / "X_CM.mat")


def test_labels_of_two_structs_agree(make):
    def texts(*labels):
        return {"labels": np.array(labels, object)}

    for wrong in (
        {"sc": WEIGHT, "fib": {"len": LENGTH} | texts("B", "A")} | texts("A", "B"),
        {"con": {"sc": WEIGHT} | texts("A", "B"), "fib": {"len": LENGTH} | texts("B", "A")},
        {"sc": WEIGHT, "len": LENGTH, "atlas": {"centroids": np.eye(3)[:2]} | texts("B", "A")} | texts("A", "B"),
    ):
        with pytest.raises(ConnectomeError, match=r"\.(len|centroids) labelled as those of the weights .* 'B' and 'A'"):
            read_matlab(make(**wrong))
    alike = {"sc": WEIGHT, "fib": {"len": LENGTH} | texts("A", "B")} | texts("A", "B")
    assert read_matlab(make(**alike)).labels == ["A", "B"]
    assert read_matlab(make(**alike), labels=["V1", "V2"]).labels == ["V1", "V2"]


def test_a_variable_that_stands_twice_is_refused(make):
    path = make(sc=WEIGHT, len=LENGTH)
    data = path.read_bytes()
    path.write_bytes(data + data[128:])
    with pytest.raises(ConnectomeError, match="expected variables of different names, found 'sc' twice"):
        read_matlab(path)


def test_texts_are_one_where_one_is_expected(make):
    path = make(sc=WEIGHT, len=LENGTH, name=np.array(["A", "B"], object))
    with pytest.raises(
        ConnectomeError, match='expected one text as name, found 2; if they are the labels, labels="name"'
    ):
        read_matlab(path)
    with pytest.raises(ConnectomeError, match="expected at least one region, found no labels"):
        read_matlab(make(sc=WEIGHT, len=LENGTH), labels=[])


def test_of_two_areas_or_centroids_none_is_read_and_that_is_said(tmp_path):
    weight, centroids = np.ones((2, 2)) - np.eye(2), np.arange(6.0).reshape(2, 3)
    given = {"weights": weight, "lengths": weight, "area": [1, 2], "Area": [3, 4]}
    savemat(tmp_path / "a.mat", given | {"coords": centroids, "centroids": centroids})
    with pytest.warns(ExchangeWarning) as told:
        found = read_matlab(tmp_path / "a.mat")
    assert found.area is None
    assert found.centroids is None
    assert sorted(str(one.message) for one in told) == [
        "expected one variable with the area, found area, Area; none is read",
        "expected one variable with the centroids, found coords, centroids; none is read",
    ]


def test_a_struct_of_which_nothing_can_be_read_is_refused(tmp_path):
    path = tmp_path / "brain.mat"
    savemat(path, {"brain": {"weights": np.eye(2)}})
    damaged = bytearray(path.read_bytes())
    damaged[189] = 8  # names of fields are said to be 2,056 letters long
    path.write_bytes(damaged)
    with pytest.raises(ConnectomeError, match="brain: expected numbers, texts, cells or a struct"):
        read_matlab(path)


def test_data_of_a_type_that_there_is_none_of_is_refused_before_scipy_reads_it(tmp_path):
    """It would end the process."""
    path = tmp_path / "brain.mat"
    savemat(path, {"labels": np.array([["R1", "R2"]], dtype=object)})
    data = path.read_bytes()
    place = data.index(b"R1") - 4
    path.write_bytes(data[:place] + b"\x7f" + data[place + 1 :])
    with pytest.raises(ConnectomeError, match="found data of an unknown type in it, 127; copy it again"):
        read_matlab(path)
