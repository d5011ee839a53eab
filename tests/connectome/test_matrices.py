import numpy as np
import pandas as pd
import pytest

from twinbrain.connectome.matrices import read_matrices
from twinbrain.connectome.write import write_connectome
from twinbrain.errors import ConnectomeError, ExchangeWarning

WEIGHT = ",A,B\nA,0,2\nB,3,0\n"
LENGTH = ",A,B\nA,0,10\nB,20,0\n"


@pytest.fixture
def make(tmp_path):
    def make(weight=WEIGHT, length=LENGTH, regions=None):
        for name, text in {"brain": weight, "brain_length": length, "brain_regions": regions}.items():
            if text is not None:
                (tmp_path / f"{name}.csv").write_text(text)
        return tmp_path / "brain.csv"

    return make


def test_rows_are_targets(make):
    connectome = read_matrices(make())
    assert connectome.weight.sel(target="A", source="B") == 2
    assert connectome.length.sel(target="B", source="A") == 20
    assert connectome.centroids is None


def test_lengths_may_lie_elsewhere(make, tmp_path):
    path = make(length=None)
    (tmp_path / "other.tsv").write_text(LENGTH.replace(",", "\t"))
    assert read_matrices(path, length=tmp_path / "other.tsv") == read_matrices(make())


def test_a_table_of_regions_is_read(make):
    connectome = read_matrices(make(regions="region,hemisphere,x,y,z,area\nA,left,-1,2,3,9\nB,,1,2,3,8\n"))
    assert connectome.hemisphere.values.tolist() == ["left", ""]
    assert connectome.centroids.sel(region="A").values.tolist() == [-1, 2, 3]
    assert connectome.area.values.tolist() == [9, 8]
    assert connectome.cortical is None


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_labels_may_hold_the_delimiter(connectome, tmp_path, suffix):
    odd = connectome.replace(labels=["a,b", 'say "c"', "d e"], name="brain", normalisation="none")
    write_connectome(odd, tmp_path / f"brain{suffix}")
    assert read_matrices(tmp_path / f"brain{suffix}") == odd


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("region,x,lobe,Note\nA,1,occ,-\nB,2,occ,-\n", "found lobe, Note"),
        ("who,when\nme\n", "found row 2: expected 2 cells"),
    ],
)
def test_a_table_that_tells_more_of_the_regions_is_not_replaced(connectome, tmp_path, table, found):
    (tmp_path / "a_regions.csv").write_text(table)
    message = rf"a_regions\.csv: expected no columns but those that are written there, .* {found}.*; move it elsewhere"
    with pytest.raises(ConnectomeError, match=message):
        write_connectome(connectome, tmp_path / "a.csv", overwrite=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a_regions.csv": table}


def test_regions_of_an_overwritten_connectome_do_not_stay_behind(connectome, tmp_path):
    write_connectome(connectome, tmp_path / "a.csv")
    plain = connectome.replace(centroids=None, hemisphere=None, cortical=None, area=None)
    write_connectome(plain, tmp_path / "a.csv", overwrite=True)
    assert read_matrices(tmp_path / "a.csv").area is None


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"weight": ",A,C\nA,0,2\nB,3,0"}, r"the rows labelled as the columns .* found 'B' and 'C' at 2"),
        ({"weight": ",B,A\nA,0,2\nB,3,0"}, "found 'A' and 'B' at 1; sort both alike"),
        ({"weight": ",A,B,C\nA,0,2,1\nB,3,0,1"}, "labels of the rows as the columns are, found 2 and 3"),
        ({"weight": ",A,B\nA,0,2\nB,3"}, r"brain\.csv: row 3: expected 3 cells, found 2"),
        ({"weight": ",A,B\nA,0,x\nB,3,0"}, "expected a number, found 'x' in the row of 'A'"),
        ({"weight": ",A,B\nA,0,1_0\nB,3,0"}, "expected a number, found '1_0' in the row of 'A'"),
        ({"weight": ",A,B\nA,0,１２\nB,3,0"}, "expected a number, found '１２' in the row of 'A'"),
        ({"length": "0 1_0\n3 0"}, r"brain_length\.csv: .*'1_0'"),
        ({"regions": "region,area\nA,1_0\nB,2"}, "expected a number, found '1_0' in the row of 'A'"),
        ({"weight": ",A,B\nA,0,nan\nB,3,0"}, "found nan at target='A', source='B'"),
        ({"weight": ",A,B\nA,0,-2\nB,3,0"}, "found -2.0 at target='A', source='B'"),
        (dict.fromkeys(("weight", "length"), ",A,A\nA,0,2\nA,3,0"), "found 'A' twice"),
        ({"weight": ""}, "expected a row of labels and rows of numbers, found 0 rows"),
        ({"weight": ',"A\n'}, "expected a table as text"),
        ({"length": ",B,A\nB,0,2\nA,3,0"}, r"brain_length\.csv: expected the rows of the lengths"),
        (
            {"length": None},
            r"expected the tract lengths in .*brain_length\.csv, found no such file; in Python, name the table: tb",
        ),
        ({"regions": "region,area\nB,1\nA,2"}, r"brain_regions\.csv: expected the regions labelled as"),
        ({"regions": "region,hemisphere\nA,L\nB,R"}, "expected hemisphere 'left'"),
        ({"regions": "region,cortical\nA,yes\nB,no"}, "expected a number, found 'yes'"),
        ({"regions": "region,area,Area\nA,1,2\nB,3,4"}, r"brain_regions\.csv: .* found 'area' twice; take one out"),
        ({"regions": "region,x,y\nA,1,2\nB,3,4"}, "expected columns x, y and z, or none of them, found x and y"),
        ({"regions": "index,label\n2,A\n1,B"}, r"expected rows in the order of their index, found \[2.0, 1.0\]; sort"),
        ({"weight": "0;0,5\n1,5;0\n"}, "expected numbers with a decimal point, found commas in '0;0,5'; write points"),
        ({"weight": ";A;B\nA;0;0,5\nB;1,5;0"}, "expected a number, found '0,5' in the row of 'A'"),
        ({"weight": "0 0,5 1\n1,5 0 1\n1 1 0"}, "decimal point, found commas in '0 0,5 1'; write points"),
        ({"weight": '"0","0,5"\n"1,5","0"\n'}, "numbers alone in the first row, found '0,5'"),
        ({"weight": "0,١,2\n3,0,1\n4,5,0"}, "in the first row, found '١'; write numbers with the digits 0 to 9"),
        ({"weight": "0,,2\n3,0,1\n4,5,0"}, "in the first row, found ''; write .* and 0 where there is nothing"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(make, tables, message):
    with pytest.raises(ConnectomeError, match=message):
        read_matrices(make(**tables))


def test_other_suffixes_and_bytes_are_refused(make, tmp_path):
    (tmp_path / "length.dat").write_text(LENGTH)
    with pytest.raises(ConnectomeError, match=r"expected a file of type \.csv, \.tsv, \.txt, found '\.dat'"):
        read_matrices(make(), length=tmp_path / "length.dat")
    (tmp_path / "brain.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConnectomeError, match="expected text in UTF-8"):
        read_matrices(tmp_path / "brain.csv")


NUMBERS = "0,7.31,2\n3,0,1\n4,5,0\n"


@pytest.mark.parametrize(
    ("suffix", "delimiter"),
    [("csv", ","), ("csv", " "), ("tsv", "\t"), ("txt", "  "), ("txt", " \t"), ("txt", ", "), ("csv", ";")],
)
def test_a_first_row_of_numbers_is_no_row_of_labels(tmp_path, suffix, delimiter):
    path = tmp_path / f"brain.{suffix}"
    path.write_text(f"# command_history: tck2connectome\n{NUMBERS.replace(',', delimiter)}")
    found = read_matrices(path, length=path)
    assert found.labels == ["region_01", "region_02", "region_03"]
    assert found.weight.values.tolist() == [[0, 7.31, 2], [3, 0, 1], [4, 5, 0]]


def test_labels_may_stand_on_one_side(tmp_path):
    expected = [[0, 7.31, 2], [3, 0, 1], [4, 5, 0]]
    rows = "".join(f"{label},{row}\n" for label, row in zip("ABC", NUMBERS.split(), strict=True))
    for text in (
        f"A,B,C\n{NUMBERS}",
        rows,
        f",A,B,C\n{rows}",
        f"A,B,C\n{rows}",
        ",1,2,3\n1,0,7.31,2\n2,3,0,1\n3,4,5,0",
    ):
        (tmp_path / "brain.csv").write_text(text)
        found = read_matrices(tmp_path / "brain.csv", length=tmp_path / "brain.csv")
        assert found.labels == (list("123") if "1,2,3" in text else list("ABC"))
        assert found.weight.values.tolist() == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "# atlas\nleft V1\nright V1\nMT\n"),
        ("a.csv", "left V1,right V1,MT\n"),
        ("a.txt", "left V1, right V1, MT\n"),
        ("a.txt", "left V1; right V1; MT\n"),
        ("a.tsv", "left V1, right V1, MT\n"),
        ("a.tsv", "index\tname\tcolor\n1\tleft V1\tred\n2\tright V1\tblue\n3\tMT\tgreen\n"),
        ("a.csv", "\ufefflabel\nleft V1\nright V1\nMT\n"),
        ("a.csv", "left V1\nright V1\nMT\n"),
    ],
)
def test_labels_are_read_from_a_file_of_them(tmp_path, name, text):
    (tmp_path / "brain.csv").write_text(NUMBERS)
    (tmp_path / name).write_text(text)
    options = {"length": tmp_path / "brain.csv"}
    expected = ["left V1", "right V1", "MT"]
    assert read_matrices(tmp_path / "brain.csv", labels=tmp_path / name, **options).labels == expected
    assert read_matrices(tmp_path / "brain.csv", labels=expected, **options).labels == expected
    with pytest.raises(ConnectomeError, match=r"brain\.csv: expected 3 labels, found 2"):
        read_matrices(tmp_path / "brain.csv", labels=expected[:2], **options)


def test_labels_in_another_order_than_those_of_the_table_are_refused(make, tmp_path):
    """Otherwise a weight would stand under two labels that are those of others."""
    path = make(length="0,10\n20,0\n")
    (tmp_path / "labels.txt").write_text("B\nA\n")
    for labels in (["B", "A"], ["B", "C"], tmp_path / "labels.txt"):
        with pytest.raises(ConnectomeError, match=r"order of the rows, .* found 'B' at 1, the label of row 2; sort"):
            read_matrices(path, labels=labels)
    assert read_matrices(path, labels=["A", "B"]) == read_matrices(path)
    renamed = read_matrices(path, labels=("left A", "left B"))
    assert renamed.weight.sel(target="left A", source="left B") == 2


def test_labels_are_texts_or_whole_numbers(make):
    assert read_matrices(make("0,2\n3,0\n", "0,10\n20,0\n"), labels=[b"V1", np.int64(2)]).labels == ["V1", "2"]
    missing = pd.Series(["A", pd.NA])
    masked = np.ma.masked_array(["A", "B"], mask=[False, True])
    for labels in (missing, masked, ["A", 2.0], ["A", None], ["A", True], ["A", ["B"]], ["A", b"\xff"]):
        with pytest.raises(ConnectomeError, match="expected texts or whole numbers as labels along the rows, found"):
            read_matrices(make(), labels=labels)


@pytest.mark.parametrize("labels", [{"A", "B"}, frozenset("AB"), {"A": 1, "B": 2}, 2])
def test_labels_without_an_order_are_refused(make, labels):
    with pytest.raises(ConnectomeError, match=r"labels in the order of the rows, as a list, found a \w+"):
        read_matrices(make(), labels=labels)


def test_it_must_be_plain_which_column_has_the_labels(tmp_path):
    (tmp_path / "brain.csv").write_text(NUMBERS)
    (tmp_path / "a.tsv").write_text("1\tV1\n2\tV2\n3\tMT\n")
    with pytest.raises(
        ConnectomeError, match=r"a\.tsv: expected one label a line, or a column called label, found 1, V1"
    ):
        read_matrices(tmp_path / "brain.csv", labels=tmp_path / "a.tsv", length=tmp_path / "brain.csv")


def test_a_table_of_regions_names_them_and_gives_straight_lengths(tmp_path):
    (tmp_path / "brain.csv").write_text(NUMBERS)
    (tmp_path / "brain_regions.csv").write_text("region,x,y,z\nA,0,0,0\nB,3,4,0\nC,3,4,12\n")
    found = read_matrices(tmp_path / "brain.csv", length="centroids")
    assert found.labels == ["A", "B", "C"]
    assert found.length.values.tolist() == [[0, 5, 13], [5, 0, 12], [13, 12, 0]]
    with pytest.raises(ConnectomeError, match=r'length="\.\.\."\), or take straight lines: length="centroids"'):
        read_matrices(tmp_path / "brain.csv")


def test_columns_of_regions_are_known_in_any_case_and_place(make):
    plain = read_matrices(make(regions="region,x,y,z,hemisphere,area\nA,1,2,3,left,9\nB,4,5,6,right,8\n"))
    path = make(regions="index,Label,X,Y,Z,Hemisphere,AREA\n1,A,1,2,3,left,9\n2,B,4,5,6,right,8\n")
    assert read_matrices(path) == plain
    path = make(regions=",label,x,y,z,hemisphere,area\n0,A,1,2,3,left,9\n1,B,4,5,6,right,8\n")
    assert read_matrices(path) == plain


def test_labels_of_regions_are_in_the_first_column_whatever_another_is_called(make):
    with pytest.warns(ExchangeWarning, match=r"columns that are not known here \(name\)"):
        assert read_matrices(make(regions="abbreviation,name\nA,Area one\nB,Area two\n")).labels == ["A", "B"]
    with pytest.warns(ExchangeWarning, match=r"columns that are not known here \(region\)"):
        assert read_matrices(make(regions=",region\nA,lobe\nB,lobe\n")).labels == ["A", "B"]


def test_columns_of_regions_that_are_not_known_are_told(make):
    path = make(regions="region,hemi,area,color\nA,L,9,red\nB,R,8,blue\n")
    with pytest.warns(ExchangeWarning, match=r"brain_regions\.csv: read without the columns .* \(hemi, color\)"):
        assert read_matrices(path).area.values.tolist() == [9, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,name\n2,A\n1,B\n", r"expected rows in the order of their id, found \[2.0, 1.0\]; sort them"),
        ("roi,name\n1,A\n0,B\n", r"expected rows in the order of their roi, found \[1.0, 0.0\]; sort them"),
        ("label,name\n2,A\n1,B\n", r"expected rows in the order of their label, found \[2.0, 1.0\]; sort them"),
        ("row,name\n2,A\n1,B\n", r"expected rows in the order of their row, found \[2.0, 1.0\]; sort them"),
        ("order,name\n1,A\n0,B\n", r"expected rows in the order of their order, found \[1.0, 0.0\]; sort them"),
        ("index_0,name\n1,A\n0,B\n", r"expected rows in the order of their index_0, found \[1.0, 0.0\]; sort them"),
        ("index,name\n3,A\n1,B\n", r"expected rows in the order of their index, found \[3.0, 1.0\]; sort them"),
        ("name,Name\nA,B\nC,D\n", "expected columns of different names, found 'name' twice"),
        ("\n" * 100_001, "expected at most 100,000 lines, found 100,001"),
        (("a," * 5_000 + "b\n") * 2, "expected matrices of 5,000 regions of at most"),
    ],
)
def test_labels_that_are_not_in_order_or_endless_are_refused(make, tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ConnectomeError, match=rf"labels\.csv: {message}"):
        read_matrices(make(), labels=tmp_path / "labels.csv")


def test_labels_are_texts_where_there_are_some(make, tmp_path):
    (tmp_path / "labels.csv").write_text("label,name\n1,V1\n2,V2\n")
    weight = "0,2\n3,0\n"
    assert read_matrices(make(weight, weight), labels=tmp_path / "labels.csv").labels == ["V1", "V2"]
