import re

import networkx as nx
import pytest

from twinbrain.connectome.graphml import encode_graphml, read_graphml
from twinbrain.errors import ConnectomeError


def braingraph(kind=nx.Graph):
    graph = kind()
    for node, (name, side) in enumerate([("lh.V1", "left"), ("rh.V1", "right"), ("rh.MT", "right")], start=1):
        position = {f"dn_position_{axis}": float(node + i) for i, axis in enumerate("xyz")}
        graph.add_node(str(node), dn_name=name, dn_hemisphere=side, dn_region="cortical", **position)
    graph.add_edge("1", "2", number_of_fibers=5, fiber_length_mean=30.5)
    return graph


@pytest.fixture
def make(tmp_path):
    def make(graph):
        nx.write_graphml(graph, tmp_path / "brain.graphml")
        return tmp_path / "brain.graphml"

    return make


def test_all_is_kept(connectome, tmp_path):
    midline = connectome.replace(hemisphere=["left", "", "right"])
    (tmp_path / "a.graphml").write_bytes(encode_graphml(midline))
    assert read_graphml(tmp_path / "a.graphml") == midline


def test_keys_of_the_connectome_mapper_are_known(make):
    connectome = read_graphml(make(braingraph()))
    assert connectome.labels == ["lh.V1", "rh.V1", "rh.MT"]
    assert connectome.centroids.values.tolist() == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert connectome.hemisphere.values.tolist() == ["left", "right", "right"]
    assert connectome.cortical.values.all()
    assert connectome.area is None


def test_an_undirected_edge_goes_both_ways(make):
    connectome = read_graphml(make(braingraph()))
    assert connectome.weight.values.tolist() == [[0, 5, 0], [5, 0, 0], [0, 0, 0]]
    assert connectome.length.values.tolist() == [[0, 30.5, 0], [30.5, 0, 0], [0, 0, 0]]


def test_a_directed_edge_goes_from_source_to_target(make):
    connectome = read_graphml(make(braingraph(nx.DiGraph)))
    assert connectome.weight.sel(target="rh.V1", source="lh.V1") == 5
    assert connectome.weight.sum() == 5


def test_keys_may_be_given(make):
    graph = nx.DiGraph()
    graph.add_edge("A", "B", fa=0.5, mm=12.0)
    connectome = read_graphml(make(graph), label="id", weight="fa", length="mm")
    assert connectome.labels == ["A", "B"]
    assert connectome.length.sel(target="B", source="A") == 12


def test_missing_labels_weights_and_lengths_are_refused(make):
    graph = braingraph()
    del graph.nodes["2"]["dn_name"]
    with pytest.raises(ConnectomeError, match=r'expected a label on every node, as dn_name .*; .*label="..." \("id"'):
        read_graphml(make(graph))
    graph = braingraph()
    del graph.edges["1", "2"]["fiber_length_mean"]
    with pytest.raises(ConnectomeError, match=r"expected a length on every edge, .* found the keys number_of_fibers"):
        read_graphml(make(graph))
    with pytest.raises(ConnectomeError, match="expected a weight on every edge, as adc"):
        read_graphml(make(braingraph()), weight="adc")


def test_what_half_of_the_nodes_have_is_refused(make):
    graph = braingraph()
    del graph.nodes["2"]["dn_position_y"]
    with pytest.raises(ConnectomeError, match="dn_position_y on every node or on none, found none on 2"):
        read_graphml(make(graph))


def test_two_regions_of_one_label_are_refused(make):
    graph = braingraph()
    graph.nodes["2"]["dn_name"] = "lh.V1"
    with pytest.raises(ConnectomeError, match=r"brain\.graphml: .* found 'lh\.V1' twice"):
        read_graphml(make(graph))


def test_a_text_as_weight_is_refused(make):
    graph = braingraph()
    graph.edges["1", "2"]["number_of_fibers"] = "many"
    with pytest.raises(ConnectomeError, match="edge 1 → 2: expected numbers"):
        read_graphml(make(graph))


def test_several_edges_between_two_nodes_are_refused(make):
    graph = braingraph(nx.MultiGraph)
    graph.add_edge("1", "2", number_of_fibers=5, fiber_length_mean=30.5)
    with pytest.raises(ConnectomeError, match="expected at most one edge"):
        read_graphml(make(graph))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected GraphML"),
        (b"junk", "expected GraphML"),
        (b"<html></html>", "expected GraphML, found <html>"),
        (b"<graphml></graphml>", "expected one <graph>, found 0"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, data, message):
    (tmp_path / "a.graphml").write_bytes(data)
    with pytest.raises(ConnectomeError, match=message):
        read_graphml(tmp_path / "a.graphml")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("</graphml>", '<graph edgedefault="directed" /></graphml>', "expected one <graph>, found 2; keep one"),
        (
            '<node id="2">',
            '<node id="1"><data key="{0}">Z</data></node><node id="2">',
            "different ids, found '1' twice",
        ),
        ("</edge>", '<data key="{1}">9</data></edge>', "one <data> of each key in a <edge>, found '.*' twice"),
        (">30.5<", ">3_0<", "expected a number as fiber_length_mean, found '3_0'"),
        ("<key ", '<key id="{1}" for="edge" attr.name="x" attr.type="string" /><key ', "keys of different ids, found"),
        (
            "<graph ",
            '<key id="w" for="edge" attr.name="number_of_fibers" attr.type="int" /><graph ',
            None,  # some programs write a key for whole numbers and one for others
        ),
        (
            "</edge></graph>",
            '<data key="w">9</data></edge></graph><key id="w" attr.name="number_of_fibers" attr.type="int" />',
            "one <data> of each name in a <edge>, found 'number_of_fibers' twice",
        ),
        ('edgedefault="undirected"', "", "expected edgedefault of <graph> as directed or undirected, found None"),
        ('edgedefault="undirected"', 'edgedefault="yes"', "expected edgedefault of .* found 'yes'"),
        ("<edge ", '<edge directed="1" ', "expected edges that are all undirected, found directed='1'"),
        ('target="2"', 'target="4"', "expected edges between the nodes, found one of '4'; add that node"),
        (">cortical<", ">cortex<", "expected dn_region as 'cortical' or 'subcortical', found 'cortex'"),
    ],
)
def test_what_stands_twice_or_is_unknown_is_refused(make, before, after, message):
    path = make(braingraph())
    text = path.read_text()
    keys = [re.search(rf'<key id="(\w+)"[^>]*attr\.name="{name}"', text)[1] for name in ("dn_name", "number_of_fibers")]
    text = re.sub(r">\s+<", "><", text)
    assert before in text
    path.write_text(text.replace(before, after.format(*keys), 1))
    if message is None:
        assert read_graphml(path).weight.sum() == 10
        return
    with pytest.raises(ConnectomeError, match=message):
        read_graphml(path)


def test_a_truth_is_no_weight(make):
    graph = braingraph()
    graph.edges["1", "2"]["number_of_fibers"] = True
    with pytest.raises(ConnectomeError, match="edge 1 → 2: expected numbers"):
        read_graphml(make(graph))


def test_case_of_a_region_makes_no_difference(make):
    graph = braingraph()
    graph.nodes["1"]["dn_region"] = "Cortical"
    graph.nodes["2"]["dn_region"] = "Subcortical"
    assert read_graphml(make(graph)).cortical.values.tolist() == [True, False, True]


def test_a_weight_that_stands_as_text_is_a_number_or_refused(make):
    graph = braingraph()
    graph.edges["1", "2"]["number_of_fibers"] = "5"
    assert read_graphml(make(graph)).weight.sum() == 10
    graph.edges["1", "2"]["number_of_fibers"] = "1_0"
    with pytest.raises(ConnectomeError, match="edge 1 → 2: expected numbers as"):
        read_graphml(make(graph))


def test_case_of_the_direction_makes_no_difference(make):
    path = make(braingraph(nx.DiGraph))
    path.write_text(path.read_text().replace('edgedefault="directed"', 'edgedefault="Directed"'))
    assert read_graphml(path).weight.sum() == 5


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://graphml.graphdrawing.org/xmlns/graphml"'])
def test_other_namespaces_of_the_whole_file_make_no_difference(make, namespace):
    path = make(braingraph())
    text = re.sub(r"<graphml [^>]*>", f"<!DOCTYPE graphml SYSTEM 'graphml.dtd'><graphml{namespace}>", path.read_text())
    path.write_text(text)
    assert read_graphml(path).weight.sum() == 10


@pytest.mark.parametrize("kind", ['for="edge"', 'for="all"', ""])
def test_defaults_stand_where_there_is_nothing_else(make, kind):
    path = make(braingraph(nx.DiGraph))
    default = rf'<key id="x" {kind} attr.name="number_of_fibers" attr.type="int"><default>7</default></key>'
    text = re.sub(r'<key [^>]*"number_of_fibers"[^>]*? />', default, path.read_text())
    path.write_text(re.sub(r"<data [^>]*>5</data>", "", text))
    assert read_graphml(path).weight.sum() == 7
    path.write_text(re.sub(r"<data [^>]*>(5)</data>", r'<data key="x">\1</data>', text))
    assert read_graphml(path).weight.sum() == 5
    another = '<key id="y" for="edge" attr.name="number_of_fibers" attr.type="int"><default>7</default></key>'
    path.write_text(text.replace(default, default + another))
    with pytest.raises(ConnectomeError, match="one <default> of each name, found 'edge number_of_fibers' twice"):
        read_graphml(path)


@pytest.mark.parametrize("kind", ['for="graph"', 'for="all"'])
def test_a_default_of_the_graph_counts_for_it(make, kind):
    graph = braingraph(nx.DiGraph)
    path = make(graph)
    key = f'<key id="x" {kind} attr.name="normalisation" attr.type="string"><default>max</default></key>'
    path.write_text(path.read_text().replace("<key ", f"{key}<key ", 1))
    assert read_graphml(path).normalisation == "max"
    graph.graph["normalisation"] = "row"
    path = make(graph)
    path.write_text(path.read_text().replace("<key ", f"{key}<key ", 1))
    assert read_graphml(path).normalisation == "row"


@pytest.mark.parametrize("name", ["a\x01b", "two\rlines", "\uffff"])
def test_a_name_that_xml_cannot_hold_is_refused(connectome, name):
    with pytest.raises(ConnectomeError, match=r"GraphML knows no control characters, found .*; rename it, or write"):
        encode_graphml(connectome.replace(name=name))


def test_a_name_of_any_letters_is_kept(connectome, tmp_path):
    named = connectome.replace(name=" <Hirn> & 日本\n 😀\t")
    (tmp_path / "a.graphml").write_bytes(encode_graphml(named))
    assert read_graphml(tmp_path / "a.graphml") == named
