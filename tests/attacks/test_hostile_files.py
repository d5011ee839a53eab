"""Files that are devices or pipes, or far larger than they look: each is refused by one message."""

import io
import os
import struct
import zipfile
import zlib
from itertools import pairwise

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

import twinbrain as tb
from tests.exchange.models import leaky_region
from twinbrain.connectome import graphml, mat_file

REGION = """
name = "test/one"
[cells.cell]
model = "lif_current"
receptors = ["exponential_current"]
[populations.all]
cell = "cell"
size = 3
[[drives]]
population = "all"
receptor = "exponential_current"
{drive}
"""
WORKFLOW = """
[brain]
connectome = "{connectome}"
regions = {{ "*" = "region.toml" }}
"""


def drive(file):
    return f'spikes = {{ file = "{file}", unit = "ms", weight = "10 pA" }}'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a pipe and ways to a device, called as the files that are asked for."""
    monkeypatch.chdir(tmp_path)
    for suffix in ("toml", "csv", "tsv", "txt", "mat", "npz", "npy", "zip", "graphml", "nir", "h5", "json"):
        os.mkfifo(f"pipe.{suffix}")
        os.symlink("/dev/zero", f"zero.{suffix}")
    return tmp_path


@pytest.mark.parametrize("name", ["pipe", "zero"])
def test_no_format_reads_a_device_or_waits_for_a_pipe(folder, name):
    for suffix in ("csv", "tsv", "txt", "mat", "npz", "zip", "graphml"):
        with pytest.raises(tb.ConnectomeError, match=f"{name}.{suffix}: expected a regular file, found a"):
            tb.read_connectome(f"{name}.{suffix}")
    for read in (tb.load_region, tb.load_workflow):
        with pytest.raises(tb.SpecError, match=rf"{name}\.toml: expected a regular file, found a"):
            read(f"{name}.toml")
    with pytest.raises(tb.ExchangeError, match=rf"{name}\.nir: expected a regular file, found a"):
        tb.read_nir(f"{name}.nir")
    with pytest.raises(tb.ExchangeError, match=rf"{name}\.json: expected a regular file, found a"):
        tb.read_sonata(f"{name}.json")


@pytest.mark.parametrize("name", ["pipe", "zero"])
def test_no_declaration_leads_to_a_device_or_a_pipe(folder, name):
    (folder / "region.toml").write_text(REGION.format(drive='current = "1 pA"'))
    (folder / "workflow.toml").write_text(WORKFLOW.format(connectome=f"{name}.csv"))
    with pytest.raises(tb.ConnectomeError, match="expected a regular file"):
        tb.simulate("workflow.toml", out="run.zarr", duration="1 ms")
    for suffix in ("csv", "npz"):
        (folder / "region.toml").write_text(REGION.format(drive=drive(f"{name}.{suffix}")))
        with pytest.raises(tb.SpecError, match=rf"spikes.file: \S*{name}\.{suffix}: expected a regular file"):
            tb.simulate(tb.load_region("region.toml"), out="run.zarr", duration="1 ms")
    given = f'initial.v = {{ file = "{name}.npz", array = "v" }}'
    text = REGION.format(drive='current = "1 pA"').replace("[populations", f"{given}\n[populations")
    (folder / "region.toml").write_text(text)
    with pytest.raises(tb.SpecError, match=rf"{name}\.npz: expected a regular file"):
        tb.load_region("region.toml")


def test_the_files_beside_a_connectome_are_regular_too(folder):
    (folder / "a.csv").write_text("0,1\n1,0\n")
    for option in ("length", "labels"):
        with pytest.raises(tb.ConnectomeError, match=r"zero\.csv: expected a regular file"):
            tb.read_connectome("a.csv", **({"length": "a.csv"} | {option: "zero.csv"}))
    os.symlink("/dev/zero", "a_regions.csv")
    with pytest.raises(tb.ConnectomeError, match=r"a_regions\.csv: expected a regular file"):
        tb.read_connectome("a.csv", length="a.csv")


def test_a_zip_bomb_that_is_not_needed_is_not_unpacked(tmp_path):
    connectome = tb.synthetic_connectome(3)
    paths = {suffix: tmp_path / f"a{suffix}" for suffix in (".zip", ".npz")}
    for path in paths.values():
        tb.write_connectome(connectome, path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("readme.npy", "w") as entry:
            for _ in range(100):
                entry.write(bytes(1_000_000))
        assert path.stat().st_size < 200_000
    assert tb.read_connectome(paths[".zip"]).replace(name=connectome.name) == connectome
    with pytest.raises(tb.ConnectomeError, match="unknown array 'readme'"):  # told by its name alone
        tb.read_connectome(paths[".npz"])


def test_a_zip_bomb_that_is_needed_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("weight", "labels"):
            archive.writestr(f"{name}.npy", b"")
        with archive.open("length.npy", "w") as entry:
            for _ in range(260):
                entry.write(bytes(1_000_000))
    with pytest.raises(tb.ConnectomeError, match=r"'length': expected unpacked entries up to 'length\.npy' of at most"):
        tb.read_connectome(tmp_path / "a.npz")


def test_a_header_of_eight_terabytes_is_refused(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((3, 3)))
    data = buffer.getvalue().replace(b"(3, 3), }" + b" " * 12, b"(1000000, 1000000), }")
    assert b"1000000" in data
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in ("weight", "length", "labels"):
            archive.writestr(f"{name}.npy", data)
    with pytest.raises(tb.ConnectomeError, match=r"expected 8,000,000,000,000 bytes of an array"):
        tb.read_connectome(tmp_path / "a.npz")


def mat(body):
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + body


def test_matlab_variables_that_unpack_or_declare_too_much_are_refused(tmp_path):
    packed = zlib.compress(bytes(260_000_000), 1)
    huge = struct.pack("<IIIIIIIIiiHH", 14, 64, 6, 8, 1, 0, 5, 8, 60_000, 60_000, 1, 1) + b"w\0\0\0" + bytes(16)
    for body in (
        struct.pack("<II", 15, len(packed)) + packed,
        struct.pack("<II", 14, 2**31),
        struct.pack("<II", 14, 16) + struct.pack("<IIII", 9, 2**31, 0, 0),
        huge,
    ):
        (tmp_path / "a.mat").write_bytes(mat(body))
        with pytest.raises(tb.ConnectomeError, match=r"a\.mat: "):
            tb.read_connectome(tmp_path / "a.mat")


def test_cells_of_matlab_are_counted_however_they_are_reached(tmp_path, monkeypatch):
    monkeypatch.setattr(mat_file, "_EACH_HDF5", 4_000_000)
    with h5py.File(tmp_path / "a.mat", "w") as file:  # each points four times at the one before
        file["#refs#/0"] = np.zeros((1, 1))
        for i in range(1, 16):
            place = "labels" if i == 15 else f"#refs#/{i}"
            file.create_dataset(place, data=[[file[f"#refs#/{i - 1}"].ref] * 4], dtype=h5py.ref_dtype)
        for name in ("sc", "len"):
            file[name] = np.zeros((2, 2))
    with pytest.raises(tb.ConnectomeError, match=r"expected variables up to '/#refs#/.*' of at most 512 MB, found"):
        tb.read_connectome(tmp_path / "a.mat")


def test_cells_and_letters_of_matlab_are_counted_before_they_are_kept(tmp_path):
    cells = (
        struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIII", 5, 8, 300_000, 1) + struct.pack("<IHH", 0x10001, 97, 0)
    )
    cells += struct.pack("<II", 14, 0) * 300_000
    text = (
        struct.pack("<IIII", 6, 8, 4, 0)
        + struct.pack("<IIII", 5, 8, 5_000_000, 1)
        + struct.pack("<IHH", 0x10001, 97, 0)
    )
    text += struct.pack("<II", 2, 5_000_000) + bytes(5_000_000)
    small = struct.pack("<II", 14, 0)
    for body in (cells, text):
        packed = zlib.compress(small + struct.pack("<II", 14, len(body)) + body, 1)  # behind another one
        (tmp_path / "a.mat").write_bytes(mat(struct.pack("<II", 15, len(packed)) + packed))
        with pytest.raises(tb.ConnectomeError, match=r"expected (cells|texts) of shape \(.*\) of at most 256 MB"):
            tb.read_connectome(tmp_path / "a.mat")


def test_sparse_matrices_in_cells_are_counted_filled(tmp_path):
    cells = np.empty(10, object)
    cells[:] = [csc_matrix((5_000, 5_000))] * 10
    savemat(tmp_path / "a.mat", {"sc": np.zeros((2, 2)), "len": np.zeros((2, 2)), "labels": cells})
    with pytest.raises(tb.ConnectomeError, match=r"expected filled matrices up to 'labels' of at most 512 MB"):
        tb.read_connectome(tmp_path / "a.mat")


def test_a_bzip2_part_is_unpacked_up_to_its_limit(tmp_path):
    import bz2

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("centres.txt.bz2", bz2.compress(bytes(100_000_000)))
    with pytest.raises(tb.ConnectomeError, match=r"centres\.txt\.bz2: expected text of at most 64 MB"):
        tb.read_connectome(tmp_path / "a.zip")


def test_a_manifest_that_doubles_is_refused(tmp_path):
    tb.write_sonata(leaky_region("exponential_current"), tmp_path / "circuit", seed=3)
    path = tmp_path / "circuit" / "circuit_config.json"
    names = [f"$A{i:02}" for i in range(40)]
    doubling = ", ".join(f'"{name}": "{after}{after}"' for name, after in pairwise(names))
    path.write_text(path.read_text().replace('"$BASE_DIR": "."', f'"$BASE_DIR": "$A00", {doubling}, "$A39": "x"'))
    with pytest.raises(tb.ExchangeError, match=r"expected paths of at most 4096 letters"):
        tb.read_sonata(tmp_path / "circuit")


@pytest.mark.parametrize("dt", ["-0.1", "0", "1e400", '"0.1"', "true"])
def test_a_time_step_of_a_file_is_positive(tmp_path, dt):
    tb.write_sonata(leaky_region("exponential_current"), tmp_path / "circuit", seed=3)
    path = tmp_path / "circuit" / "circuit_config.json"
    text = path.read_text()
    assert '"dt": 0.1' in text
    path.write_text(text.replace('"dt": 0.1', f'"dt": {dt}'))
    with pytest.raises(tb.ExchangeError, match=r"circuit_config\.json: expected (dt as a positive|finite) number"):
        tb.read_sonata(tmp_path / "circuit")


@pytest.mark.parametrize("dt", [-1e-4, 0.0, np.nan, 1e9])
def test_a_time_step_of_a_graph_is_positive(tmp_path, dt):
    tb.write_nir(leaky_region(), tmp_path / "a.nir", seed=3)
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        del file["node/metadata/dt"]
        file["node/metadata/dt"] = dt
    with pytest.raises(tb.ExchangeError, match=r"a\.nir: expected a dt from 1e-06 to 10000 ms, found"):
        tb.read_nir(tmp_path / "a.nir")
    with pytest.raises(tb.ExchangeError, match=r"expected a dt from"):
        tb.read_nir(tmp_path / "a.nir", dt="-1 ms")


def test_routes_that_double_are_refused(tmp_path):
    nir = pytest.importorskip("nir")
    scale = {f"{side}{i}": nir.Scale(np.ones(2)) for i in range(24) for side in "ab"}
    lif = nir.LIF(tau=np.ones(2), r=np.ones(2), v_leak=np.zeros(2), v_threshold=np.ones(2), v_reset=np.zeros(2))
    nodes = {"input": nir.Input(np.array([2])), **scale, "lif": lif, "output": nir.Output(np.array([2]))}
    edges = [("input", "a0"), ("input", "b0"), ("a23", "lif"), ("b23", "lif"), ("lif", "output")]
    edges += [(f"{x}{i}", f"{y}{i + 1}") for i in range(23) for x in "ab" for y in "ab"]
    nir.write(tmp_path / "a.nir", nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
    with pytest.raises(tb.ExchangeError, match=r"expected routes of at most 200 nodes, and 20,000 steps on all"):
        tb.read_nir(tmp_path / "a.nir")


def test_a_packed_text_of_a_declaration_is_unpacked_up_to_its_limit():
    import base64

    packed = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    with pytest.raises(tb.SpecError, match="unpacks to far more than it should"):
        tb.Explicit(packed, "pA")


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        (f"<!ENTITY a '{'x' * 4000}'>", "&a;" * 9000),
        (f"<!ENTITY a '{'<x/>' * 2000}'>", "&a;" * 9000),
        (f"<!ATTLIST x y CDATA '{'x' * 4000}'>", "<x/>" * 9000),
    ],
)
def test_graphml_declares_nothing_that_grows(tmp_path, declared, used):
    (tmp_path / "a.graphml").write_text(f"<!DOCTYPE graphml [{declared}]><graphml><data>{used}</data></graphml>")
    with pytest.raises(tb.ConnectomeError, match=r"expected GraphML without declarations, found some in <!DOCTYPE>"):
        tb.read_connectome(tmp_path / "a.graphml")


def test_elements_of_graphml_are_counted_before_they_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(graphml, "_LARGEST", 32_000)
    for element in ("<a/>", "<a b='' c='' d=''/>"):
        (tmp_path / "a.graphml").write_text(f"<graphml>{element * (30_000 // len(element))}</graphml>")
        with pytest.raises(tb.ConnectomeError, match=r"expected elements of GraphML of at most 32 kB, found"):
            tb.read_connectome(tmp_path / "a.graphml")
