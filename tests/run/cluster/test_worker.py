"""What a worker has to be."""

from dataclasses import replace

from twinbrain.run.cluster.sources import Sources, own_sources, sources_in
from twinbrain.run.cluster.worker import faults, own_facts


def test_versions_of_what_tasks_use_are_compared_and_no_others():
    expected = own_facts(packages=["numpy", "torch"])
    found = replace(own_facts(packages=["numpy", "torch", "snntorch"]), process=("elsewhere", 1))
    assert faults(expected, found) == []
    other = replace(found, versions={**found.versions, "torch": "0.1", "snntorch": "0.1"})
    (fault,) = faults(expected, other)
    assert fault.startswith("expected torch ")
    assert fault.endswith("found 0.1; install the same there")


def test_a_package_that_lacks_is_none():
    assert own_facts(packages=["no-package-of-this-name"]).versions["no-package-of-this-name"] == "none"


def test_sources_are_compared_by_names_and_contents(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.py").write_text("x = 1\n")
    before = sources_in(tmp_path)
    assert sources_in(tmp_path) == before
    (tmp_path / "notes.txt").write_text("no source")
    assert sources_in(tmp_path) == before
    (tmp_path / "run" / "a.py").write_text("x = 2\n")
    changed = sources_in(tmp_path)
    (tmp_path / "run" / "a.py").rename(tmp_path / "run" / "b.py")
    assert len({before.digest, changed.digest, sources_in(tmp_path).digest}) == 3


def test_another_twinbrain_of_the_same_version_is_named():
    expected = own_facts()
    other = replace(own_facts(), process=("elsewhere", 1), sources=Sources("/home/lab/twinbrain", "0" * 64))
    (fault,) = faults(expected, other)
    assert f"expected the twinbrain of {own_sources().folder}, found another (its sources differ)" in fault
    assert "/home/lab/twinbrain" in fault


def test_a_twinbrain_in_an_archive_is_known_by_its_version_alone(tmp_path):
    nothing = sources_in(tmp_path / "twinbrain.zip" / "twinbrain")
    assert nothing.digest == ""
    other = replace(own_facts(), process=("elsewhere", 1), sources=nothing)
    assert faults(own_facts(), other) == []


def test_another_version_is_not_named_twice():
    other = replace(own_facts(), process=("elsewhere", 1), sources=Sources("/home/lab/twinbrain", "0" * 64))
    (fault,) = faults(own_facts(), replace(other, versions=other.versions | {"twinbrain": "9.9"}))
    assert fault.endswith("found 9.9; install the same there")
