import bz2
import io
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

from twinbrain.connectome.tvb import encode_tvb, read_tvb
from twinbrain.errors import ConnectomeError

PARTS = {
    "weights.txt": b"0 2\n3 0\n",
    "tract_lengths.txt": b"0 10\n20 0\n",
    "centres.txt": b"rV1 1 2 3 None\n lV1 -1 2 3 None\n",
}


@pytest.fixture
def make(tmp_path):
    def make(changes=(), folder=""):
        path = tmp_path / "brain.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in (PARTS | dict(changes)).items():
                if data is not None:
                    archive.writestr(folder + name, data)
        return path

    return make


def saved(save, array):
    buffer = io.BytesIO()
    save(buffer, array)
    return buffer.getvalue()


def test_rows_are_targets(make):
    connectome = read_tvb(make())
    assert connectome.weight.sel(target="rV1", source="lV1") == 2
    assert connectome.length.sel(target="lV1", source="rV1") == 20


def test_labels_tell_the_hemisphere_where_no_file_does(make):
    assert read_tvb(make()).hemisphere.values.tolist() == ["right", "left"]
    assert read_tvb(make({"hemispheres.txt": b"0\n1\n"})).hemisphere.values.tolist() == ["left", "right"]
    assert read_tvb(make({"centres.txt": b"A 1 2 3\nB -1 2 3"})).hemisphere is None


def test_optional_parts_are_read(make):
    connectome = read_tvb(make({"cortical.txt": b"1\n0\n\n", "areas.txt": b"5.5\n0\n"}))
    assert connectome.cortical.values.tolist() == [True, False]
    assert connectome.area.values.tolist() == [5.5, 0.0]


def test_files_may_lie_in_a_folder_beside_those_of_macos(make):
    path = make({"__MACOSX/weights.txt": b"junk", ".weights.txt": b"junk"}, folder="weights_of_mine/")
    assert read_tvb(path) == read_tvb(make())


def test_names_are_matched_by_what_they_contain(make):
    changes = {"weights.txt": None, "my_weights_1.txt": PARTS["weights.txt"]}
    changes |= {"centres.txt": None, "centers.txt": PARTS["centres.txt"]}
    assert read_tvb(make(changes)) == read_tvb(make())


def test_the_exact_name_is_preferred_and_two_alike_are_refused(make):
    assert read_tvb(make({"weights_log.txt": b"9"})) == read_tvb(make())
    with pytest.raises(ConnectomeError, match=r"one file called weights, found weights_a\.txt, weights_b\.txt"):
        read_tvb(make({"weights.txt": None, "weights_a.txt": b"", "weights_b.txt": b""}))


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".txt.bz2", bz2.compress(PARTS["weights.txt"])),
        (".npy", saved(np.save, [[0.0, 2.0], [3.0, 0.0]])),
        (".npz", saved(np.savez, [[0.0, 2.0], [3.0, 0.0]])),
        (".mat", saved(savemat, {"w": [[0.0, 2.0], [3.0, 0.0]]})),
    ],
)
def test_a_matrix_may_be_of_other_formats(make, suffix, data):
    assert read_tvb(make({"weights.txt": None, f"weights{suffix}": data})) == read_tvb(make())


def test_equal_connectomes_make_equal_files(connectome):
    assert encode_tvb(connectome) == encode_tvb(connectome.replace())


def test_a_region_of_neither_side_is_kept_where_labels_say_so_and_refused_where_not(connectome, tmp_path):
    sides = connectome.replace(hemisphere=["left", "right", ""])
    (tmp_path / "a.zip").write_bytes(encode_tvb(sides))
    assert read_tvb(tmp_path / "a.zip") == sides
    with pytest.raises(ConnectomeError, match=r"found 'rV1' of neither; write \.npz"):
        encode_tvb(connectome.replace(hemisphere=["left", "", "right"]))


def test_what_the_format_cannot_hold_is_refused(connectome):
    with pytest.raises(ConnectomeError, match="needs centroids"):
        encode_tvb(connectome.replace(centroids=None))
    with pytest.raises(ConnectomeError, match=r"without blanks .* found 'left V1'"):
        encode_tvb(connectome.replace(labels=["left V1", "b", "c"]))
    with pytest.raises(ConnectomeError, match=r"labels that no one takes for coordinates, found \['1', '2.5', '3'\]"):
        encode_tvb(connectome.replace(labels=["1", "2.5", "3"]))


@pytest.mark.parametrize("name", ["length unit = cm", 'a"\nnormalisation = "row', "two\rlines"])
def test_a_name_that_would_be_read_otherwise_is_refused(connectome, name):
    with pytest.raises(
        ConnectomeError, match=r"a name in one line, without units, found name .*; write \.npz, or rename"
    ):
        encode_tvb(connectome.replace(name=name))


@pytest.mark.parametrize("name", ["", " a 'b' \"c\" ", "日本 😀", "name = x"])
@pytest.mark.parametrize("labels", [["lV1", "rV1", "MT"], ["a", "b", "c"], ["3", "1", "2"]])
def test_names_numbers_and_unknown_hemispheres_are_kept(connectome, tmp_path, name, labels):
    """Labels name two hemispheres, but the connectome does not say that they are right."""
    plain = connectome.replace(name=name, labels=labels, hemisphere=None)
    (tmp_path / "a.zip").write_bytes(encode_tvb(plain))
    assert read_tvb(tmp_path / "a.zip") == plain


@pytest.mark.parametrize("part", ["weights", "tract_lengths", "centres"])
def test_a_missing_part_is_named(make, part):
    with pytest.raises(ConnectomeError, match=rf"brain\.zip: expected one file called {part}.* found none among"):
        read_tvb(make({f"{part}.txt": None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights.txt": b"0 x\n3 0"}, r"weights\.txt: line 1: expected numbers, found '0 x'"),
        ({"weights.txt": b"0 1\n3"}, r"weights\.txt: line 2: expected 2 numbers, found 1"),
        ({"weights.txt": b"0 nan\n3 0"}, "found nan at target='rV1', source='lV1'"),
        ({"weights.txt": b"0 -1\n3 0"}, "found -1.0 at target='rV1'"),
        ({"weights.txt": b"0 1 1\n3 0 1"}, "square matrix"),
        ({"weights.txt": None, "weights.dat": b""}, r"weights\.dat: expected a file of type \.txt"),
        ({"weights.txt": None, "weights.npy": b"junk"}, r"weights\.npy: expected a \.npy array"),
        ({"weights.txt": None, "weights.txt.bz2": b"junk"}, r"weights\.txt\.bz2: .*expected text"),
        ({"weights.txt": None, "weights.mat": saved(savemat, {"a": 1, "b": 2})}, "expected one array, found a, b"),
        ({"centres.txt": b"rV1 1 2 3\nlV1 1 2"}, r"centres\.txt: line 2: expected 'label x y z', found 'lV1 1 2'"),
        (
            {"centres.txt": b"Area 17 1 2 3\nMT 1 2 3"},
            r"centres\.txt: line 2: expected 5 columns, .* found 4; labels have",
        ),
        ({"centres.txt": b"\xff\xfe"}, r"centres\.txt: expected text"),
        ({"centres.txt": b"A 1 2 3\nA 1 2 3"}, "found 'A' twice"),
        ({"cortical.txt": b"1"}, r"cortical of shape \(2,\)"),
    ],
)
def test_a_bad_part_is_named(make, changes, message):
    with pytest.raises(ConnectomeError, match=message):
        read_tvb(make(changes))


def test_a_damaged_zip_is_refused(make):
    path = make()
    data = path.read_bytes()
    for broken in (b"no zip", data[:60], data.replace(PARTS["weights.txt"], b"9 9\n9 9\n")):
        path.write_bytes(broken)
        with pytest.raises(ConnectomeError, match=r"of a zip|a zip, found none that can be read .* copy it again"):
            read_tvb(path)


@pytest.mark.parametrize(
    ("part", "data", "message"),
    [
        ("info.txt", b'length_unit = "cm"', r"info\.txt: expected the unit 'mm', found length_unit = \"cm\"; convert"),
        ("info.txt", b"length_unit = cm", r"info\.txt: expected the unit 'mm', found length_unit = cm; convert"),
        ("info.txt", b"length_unit: 'cm'\n", r"info\.txt: expected the unit 'mm', found length_unit: 'cm'; convert"),
        ("info.txt", b'Tract_Length_Unit="m"', r"info\.txt: expected the unit 'mm', found Length_Unit=\"m\"; convert"),
        ("info.txt", b'length_unit = "mm"area_unit = "cm^2"', "expected the unit 'mm.2', found area_unit"),
        ("info.txt", b"name = a\nName: 'b'", r"info\.txt: expected one name, found 'a' and 'b'; take one out"),
        ("subcortical.txt", b"0\n1\n", r"expected a file called cortical, found subcortical\.txt, its opposite"),
        ("hemispheres.txt", b"nan\n1\n", "hemispheres: expected 0 .left. or 1 .right. of each region, found nan"),
        ("hemispheres.txt", b"0\n5\n", "hemispheres: .* found 5"),
        ("weights.txt", b"0 1_0\n3 0\n", "expected numbers, found '0 1_0'"),
        ("centres.txt", b"-1.5 2 3 4\n5 6 7 8", r"found numbers as labels, \['-1.5', '5'\]; name the regions"),
        (
            "centres.txt",
            b"1 2 3 4 lA\n2 6 7 8 rA",
            r"\['1', '2'\]; put the names, such as 'lA', first",
        ),
        ("centres.txt", b"A 1_0 2 3\nB 1 2 3", "expected 'label x y z', found 'A 1_0 2 3'"),
    ],
)
def test_what_would_be_read_otherwise_is_refused(make, part, data, message):
    with pytest.raises(ConnectomeError, match=message):
        read_tvb(make({part: data}))


def test_settings_are_read_however_they_are_written(make):
    for text in ('name = "n"\nnormalisation = "max"', "Name: 'n'\r\nNormalisation = max\nLength unit: [mm]."):
        found = read_tvb(make({"info.txt": text.encode(), "areas.txt": b"1 2"}))
        assert (found.name, found.normalisation) == ("n", "max")
    assert read_tvb(make({"info.txt": b"name: of a whole sentence"})).name == "brain"


def test_parts_that_were_packed_in_several_pieces_are_read_whole(make):
    lines = PARTS["weights.txt"].splitlines(keepends=True)
    packed = b"".join(map(bz2.compress, lines))
    assert read_tvb(make({"weights.txt": None, "weights.txt.bz2": packed})) == read_tvb(make())
    with pytest.raises(ConnectomeError, match=r"weights\.txt\.bz2: expected text, found none that can be read"):
        read_tvb(make({"weights.txt": None, "weights.txt.bz2": packed[:-4]}))
    with pytest.raises(ConnectomeError, match="expected text packed in few pieces, found 10,001"):
        read_tvb(make({"weights.txt": None, "weights.txt.bz2": bz2.compress(b"") * 10_001}))


@pytest.mark.parametrize("part", ["weights.txt", "centres.txt", "info.txt"])
def test_lines_without_end_are_refused(make, part):
    with pytest.raises(ConnectomeError, match=rf"{part}: expected at most 100,000 lines, found 100,001"):
        read_tvb(make({part: b"\n" * 100_001}))
    if part == "info.txt":
        return
    line = b"1 2 3 4\n" if part == "weights.txt" else b"a 1 2 3\n"
    with pytest.raises(ConnectomeError, match=rf"{part}: expected matrices of 4,097 regions of at most"):
        read_tvb(make({part: line * 5_000}))
