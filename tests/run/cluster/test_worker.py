"""What a worker has to be."""

from dataclasses import replace

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
