import h5py
import numpy as np
import pytest

from twinbrain.files import FileError, opened_hdf5


@pytest.fixture
def check(tmp_path):
    """Return what is said of a file that a function writes."""

    def check(write):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            write(file)
        with opened_hdf5(tmp_path / "a.h5", "exchange") as file:
            return sorted(file)

    return check


def filled(file):
    file["numbers"] = np.arange(5)
    file["texts"] = np.array(["a", "bc"], h5py.string_dtype())
    file["text"] = "word"
    file.create_dataset("packed", data=np.zeros(10_000), compression="gzip", shuffle=True)
    file.create_group("group")["inner"] = 1.0


def test_a_file_of_numbers_and_texts_is_opened(check):
    assert check(filled) == ["group", "numbers", "packed", "text", "texts"]


def external(file):
    file["a"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(file):
    file["a"] = h5py.SoftLink("/b")


def loop(file):
    file.create_group("a")["b"] = file["/"]


def shared(file):
    file["a"] = np.arange(3)
    file["b"] = file["a"]


def elsewhere(file):
    file.create_dataset("a", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
    file.create_virtual_dataset("a", layout)


def bomb(file):
    file.create_dataset("a", (10**12,), "f8", chunks=(2**20,), compression="gzip")


def texts(file):
    file.create_dataset("a", (30_000,), h5py.string_dtype())


def arrays_within(file):
    file.create_dataset("a", (3,), h5py.vlen_dtype(np.int64))


def chunk(file):
    file.create_dataset("a", (10,), "f8", maxshape=(None,), chunks=(2**26,), compression="gzip")


def deep(file):
    for _ in range(40):
        file = file.create_group("a")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (external, "/a: expected data within the file, found a link"),
        (soft, "/a: expected data within the file, found a link"),
        (loop, "/a/b: expected one name of each group and dataset, found a second"),
        (shared, "/b: expected one name of each group and dataset, found a second"),
        (elsewhere, "/a: expected data within the file, found those of another"),
        (virtual, "/a: expected data within the file, found those of another"),
        (bomb, "expected unpacked datasets up to /a of at most 256 MB, found 8e[+]03 GB"),
        (chunk, "expected a chunk of /a of at most 256 MB, found 537 MB"),
        (texts, "/a: expected at most 20,000 texts, found 30,000"),
        (arrays_within, "/a: expected numbers or texts, found arrays within an array"),
        (deep, "expected groups at most 32 deep"),
    ],
)
def test_what_would_surprise_is_refused_before_it_is_read(check, write, message):
    with pytest.raises(FileError, match=message):
        check(write)


@pytest.fixture
def ragged(tmp_path):
    """Return a way to open a file of so many arrays and texts."""

    def ragged(n):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("a", (n,), h5py.vlen_dtype(np.int16), chunks=(1024,))
            file.create_dataset("b", (n,), h5py.string_dtype(), chunks=(1024,))
        return opened_hdf5(tmp_path / "a.h5", "exchange", ragged=True)

    return ragged


def test_arrays_of_any_length_are_let_through_to_who_counts_them(ragged):
    with ragged(30_000) as file:
        assert len(file["a"][3]) == 0
    with pytest.raises(FileError, match="unpacked datasets up to /a of at most 256 MB"), ragged(10**8):
        pass


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(FileError, match="expected an HDF5 file"), opened_hdf5(tmp_path / "a.h5", "exchange"):
        pass


def test_a_missing_package_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(FileError, match=r'h5py, found none; .*"twinbrain\[exchange\]"'), opened_hdf5("a", "exchange"):
        pass
