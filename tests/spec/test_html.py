from html.parser import HTMLParser

import pytest

from twinbrain.spec.brain import Brain, single_region_brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.region import Region

EVIL = '<script>alert("x")</script> & co'


class Reader(HTMLParser):
    """Collects texts, links and tables, and checks that tags close in the order in which they opened."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.links, self.tables, self.titles, self.tags = [], [], [], [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attrs = dict(attrs)
        if tag == "a":
            self.links.append(attrs["href"])
        if "title" in attrs:
            self.titles.append(attrs["title"])
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def table(reader, first):
    """Return the rows of the table whose first title is ``first``."""
    return next(rows for rows in reader.tables if rows[0][0] == first)[1:]


REGION = {
    "name": "cortex/column",
    "summary": "A patch of cortex.",
    "references": ["10.1093/cercor/bhs358", "doi:10.1000/a(b)<c>", "Smith 1999", "https://example.org/?a=1&b=2"],
    "cells": {
        "pyr": {
            "model": "adex",
            "receptors": ["ampa", "gaba_a"],
            "parameters": {"C_m": {"lognormal": ["200 pF", 0.3]}},
        },
        "pv": {"model": "lif", "receptors": ["ampa"], "references": ["10.1523/JNEUROSCI.2279-14.2015"]},
    },
    "populations": {
        "e": {"cell": "pyr", "size": 800},
        "i": {"cell": "pv", "size": 200, "transmitter": "gaba"},
    },
    "projections": [
        {
            "source": "e",
            "target": "i",
            "receptor": "ampa",
            "connect": {"probability": 0.1},
            "weight": "1 nS",
            "delay": "1 ms",
        },
        {
            "source": "i",
            "target": "e",
            "receptor": "gaba_a",
            "connect": {"in_degree": 40},
            "weight": "2 nS",
            "delay": "1 ms",
        },
        {
            "name": "far",
            "source": "e",
            "target": "e",
            "receptor": "ampa",
            "weight": "1 nS",
            "delay": "1 ms",
            "connect": {"distance": {"probability": 0.3, "scale": "0.2 mm"}},
        },
        {
            "name": "few",
            "source": "e",
            "target": "e",
            "receptor": {"ampa": 1.0, "gaba_a": 0.5},
            "weight": "1 nS",
            "delay": {"uniform": ["1 ms", "2 ms"], "min": "1 ms"},
            "connect": {"pairs": {"source": [0, 1], "target": [2, 3]}},
        },
    ],
    "drives": [{"population": "e", "receptor": "ampa", "rate": "2 kHz", "weight": "0.5 nS"}],
    "ports": {"outputs": ["e"], "inputs": {"e": 0.8}},
    "expected": {"e": {"low": "1 Hz", "high": "5 Hz", "source": "10.1/x"}},
}


@pytest.fixture
def region():
    return Region.parse(REGION)


def test_a_region_tells_its_populations_with_size_transmitter_port_and_rate(region):
    assert table(read(region._repr_html_()), "population") == [
        ["e", "800", "pyr", "glutamate", "in out", "1 to 5 Hz"],
        ["i", "200", "pv", "gaba", "", ""],
    ]


def test_a_region_tells_the_model_receptors_and_parameters_of_its_cells(region):
    pyr, pv = table(read(region._repr_html_()), "cell")
    assert pyr == ["pyr", "adex", "ampa, gaba_a", "C_m = lognormal(200 pF, 0.3)", ""]
    assert pv[4] == "10.1523/JNEUROSCI.2279-14.2015"


def test_projections_stand_in_the_row_of_their_source_and_the_column_of_their_target(region):
    reader = read(region._repr_html_())
    assert table(reader, "source") == [
        ["e", "p = 0.3, gaussian 0.2 mm ampa2 pairs ampa, gaba_a", "p = 0.1 ampa"],
        ["i", "in-degree 40 gaba_a", "·"],
    ]
    assert "ampa, gaba_a; weight 1 nS; delay uniform(1 ms, 2 ms, from 1 ms)" in reader.titles


def test_dois_are_links_and_other_references_are_text(region):
    reader = read(region._repr_html_())
    assert reader.links[-3:] == [
        "https://doi.org/10.1093/cercor/bhs358",
        "https://doi.org/10.1000/a%28b%29%3Cc%3E",
        "https://example.org/?a=1&b=2",
    ]
    assert "Smith 1999" in reader.texts


def test_drives_and_ports_are_told(region):
    reader = read(region._repr_html_())
    drives, ports = (rows[1:] for rows in reader.tables[-2:])
    assert drives == [["e", "ampa", "events at 2000 Hz, 0.5 nS"]]
    assert ports == [["e", "in", "share 0.8", "glutamate to ampa; gaba to gaba_a"], ["e", "out", "", ""]]


def test_what_a_region_lacks_has_no_heading():
    bare = Region.parse({"name": "x", "cells": {"c": {"model": "lif"}}, "populations": {"p": {"cell": "c", "size": 1}}})
    reader = read(bare._repr_html_())
    assert [text for text in reader.texts if text in ("Populations", "Cells", "Drives", "Ports", "References")] == [
        "Populations",
        "Cells",
    ]
    assert "1 neuron in 1 population" in reader.texts


def test_texts_are_escaped(region):
    data = REGION | {"summary": EVIL, "references": [EVIL, f"https://x.org/{EVIL.replace(' ', '')}", '10.1/"><script>']}
    data["cells"] = {**REGION["cells"], "pv": {"model": EVIL, "receptors": ["ampa"], "parameters": {EVIL: "1 nS"}}}
    html = Region.parse(data)._repr_html_()
    assert "<script" not in html
    assert "script" not in read(html).tags
    brain = Brain(name=EVIL, connectome=EVIL, regions={EVIL: region}, long_range=RULE)
    assert "<script" not in brain._repr_html_()


RULE = {"in_degree": 25, "weight": "0.2 nS", "inhibitory_weight": "0.3 nS", "speed": "7 m/s"}


def test_a_brain_counts_nodes_by_the_first_pattern_that_fits(region):
    connectome = Connectome([[0, 1, 2]] * 3, [[0, 9, 9]] * 3, ["TM-F", "TM-T", "V1"], name="three")
    relay = region.model_copy(update={"name": "thalamus/relay"})
    brain = Brain(
        name="small", connectome=connectome, regions={"TM-F": relay, "TM-*": relay, "*": region}, coupling=1.5
    )
    assert table(read(brain._repr_html_()), "pattern") == [
        ["TM-F", "thalamus/relay", "1,000", "1", "1,000"],
        ["TM-*", "thalamus/relay", "1,000", "1", "1,000"],
        ["*", "cortex/column", "1,000", "1", "1,000"],
    ]


def test_a_brain_tells_its_long_range_rule_and_coupling(region):
    brain = Brain(connectome="tvb-96", regions={"*": region}, long_range=RULE, coupling=1.5, normalisation="max")
    reader = read(brain._repr_html_())
    rows = dict(table(reader, ""))
    assert rows == {
        "in-degree": "25",
        "weight": "0.2 nS",
        "inhibitory weight": "0.3 nS",
        "speed": "7 mm/ms",
        "coupling": "1.5",
        "normalisation": "max",
    }
    # The connectome is known by its name alone: nothing is loaded to count nodes.
    assert table(reader, "pattern") == [["*", "cortex/column", "1,000"]]
    assert "connectome tvb-96" in reader.texts


def test_a_share_of_the_drive_stands_in_place_of_a_weight(region):
    rule = {"in_degree": 25, "proportional": True, "share": 0.2}
    rows = dict(table(read(Brain(connectome="x", regions={"*": region}, long_range=rule)._repr_html_()), ""))
    assert rows["in-degree"] == "25 on average, in proportion to the row"
    assert rows["share of the excitatory drive"] == "0.2"
    assert "weight" not in rows


def test_a_region_alone_says_so(region):
    reader = read(single_region_brain(region)._repr_html_())
    assert "none: the regions are alone" in reader.texts
    assert "img" in reader.tags
