"""A study in two sweeps: the table's seeds train only what other seeds have chosen."""

from tests.benchmarks.study import FIRST_OF_CHOICE, study
from tests.learn.study import small_study

CASES = {
    "learned: slowly": {"train.learning_rate": 1e-9},
    "learned: fast": {"train.learning_rate": 0.05},
    "logistic regression": {"train.baseline": "logistic"},
}


def test_only_chosen_settings_are_trained_with_the_seeds_of_the_table(tmp_path):
    workflow = small_study(epochs=3).replace(sweep={"cases": CASES})
    chosen, table = study(workflow, tmp_path, seeds=2, choice=2, workers=0)
    assert list(chosen["seed"].values) == [FIRST_OF_CHOICE, FIRST_OF_CHOICE + 1]
    # A network that does not learn was not chosen, and is not trained with other seeds.
    assert list(chosen["condition"].values) == ["learned: fast"]
    assert list(table["condition"].values) == ["learned: fast", "logistic regression"]
    assert list(table["seed"].values) == [0, 1]
    written = (tmp_path / "study.zarr" / "zarr.json").stat().st_mtime_ns
    study(workflow, tmp_path, seeds=2, choice=2, workers=0)
    assert (tmp_path / "study.zarr" / "zarr.json").stat().st_mtime_ns == written
