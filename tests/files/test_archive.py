import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from twinbrain.files import Archive, FileError, read_npy, read_npz


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@given(
    arrays.arrays(
        arrays.integer_dtypes() | arrays.floating_dtypes() | arrays.unicode_string_dtypes() | arrays.boolean_dtypes(),
        arrays.array_shapes(min_dims=0, min_side=0),
    ),
    st.sampled_from("CF"),
)
def test_an_array_is_read_as_numpy_reads_it(array, order):
    array = np.asarray(array, order=order)
    found = read_npy(npy(array))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("shape", [(10**12,), (2**32, 2**32), (-1, -3), (4,)])
def test_a_header_that_tells_of_other_sizes_than_there_are_is_refused(shape):
    data = npy(np.arange(3.0)).replace(b"(3,), }", f"{shape}, }}".encode())
    with pytest.raises(FileError):
        read_npy(data)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').system('touch ran'),), }",
        b"(" * 5000,
        b"-" * 9000 + b"1",
        b"{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }",
    ],
)
def test_a_header_is_a_literal_of_numbers_and_texts(header, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header + bytes(8)
    with pytest.raises(FileError):
        read_npy(data)
    assert list(tmp_path.iterdir()) == []


def test_a_pickle_is_not_opened():
    with pytest.raises(FileError, match="found Python objects, which are not read"):
        read_npy(npy(np.array([print], object), allow_pickle=True))


def test_only_what_is_asked_for_is_unpacked():
    bomb = zipped({"bomb.npy": bytes(260_000_000), "wanted.npy": npy(np.arange(3))})
    assert len(bomb) < 500_000
    assert read_npz(bomb)["wanted"].tolist() == [0, 1, 2]
    with pytest.raises(FileError, match=r"array 'bomb': expected unpacked entries up to 'bomb\.npy' of at most"):
        read_npz(bomb)["bomb"]


def test_an_entry_that_unpacks_to_more_than_it_declares_gives_no_more():
    data = zipped({"a": b"x" * 10_000})
    small = data.replace((10_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(FileError, match="expected the entry 'a' of a zip"):
        Archive(small).read("a")


def test_uncommon_packings_are_refused():
    with pytest.raises(FileError, match="a: expected an entry stored or deflated, found one packed by method 14"):
        Archive(zipped({"a": b"x"}, zipfile.ZIP_LZMA)).read("a")


def test_entries_without_end_are_refused():
    with pytest.raises(FileError, match="expected a zip of at most 10,000 entries, found 10,001"):
        Archive(zipped(dict.fromkeys(map(str, range(10_001)), b""), zipfile.ZIP_STORED))


def test_two_arrays_of_one_name_are_refused():
    with pytest.raises(FileError, match="expected one array of each name, found 'a' beside another; rename one"):
        read_npz(zipped({"a": npy(np.ones(1)), "a.npy": npy(np.ones(2))}))
