"""From sweeps of trainings to comparisons."""

import json

import numpy as np
import pytest
import xarray as xr

from twinbrain import analysis
from twinbrain.errors import LearnError

CASES = ["one: 20 ms", "one: 50 ms", "many", "LSTM"]
ACCURACY = np.array([[0.6, 0.62, 0.61], [0.7, 0.71, 0.66], [0.75, 0.74, 0.76], [0.8, 0.9, 0.85]])


def study(accuracy=ACCURACY, validation=None, labels=None, cases=CASES):
    """Return a sweep of trainings with these accuracies by case and seed; with fewer labels they are less."""
    validation = accuracy if validation is None else validation
    dims, shape = ("case", "seed"), np.shape(accuracy)
    ones = np.ones(shape)
    found = xr.Dataset(
        {
            "accuracy": (dims, np.array(accuracy)),
            "validation_accuracy": (dims, np.array(validation)),
            "squared_error": (dims, np.nan * ones),
            "chance": (dims, 0.25 * ones),
            "n_parameters": (dims, 100 * ones),
            "synaptic_operations": (dims, 5.0 * ones),
            "energy": (dims, 4.5 * ones, {"units": "nJ", "caveat": "Arithmetic alone."}),
            "training_time": (dims, 2 * ones, {"units": "s"}),
            "disturbed": ((*dims, "disturbance", "level"), np.multiply.outer(accuracy, [[1.0, 0.9], [1.0, 0.8]])),
            "status": (dims, np.ones(shape, np.uint8)),
        },
        {"case": list(cases), "seed": np.arange(shape[1]), "disturbance": ["slower", "lesion"], "level": [0.0, 0.2]},
        {"workflow": "study"},
    )
    if labels is None:
        return found
    return xr.concat([found.assign(accuracy=found["accuracy"] * share) for share in labels], "labels").assign_coords(
        labels=labels
    )


def test_a_sweep_becomes_a_comparison():
    found = analysis.compare_conditions(study(cases=["a", "b", "c", "d"]))
    assert found["condition"].values.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(found["accuracy"], ACCURACY)
    assert found["disturbed"].dims == ("condition", "disturbance", "level", "seed")
    assert found["seconds"].attrs["units"] == "s"
    assert found.attrs == {"title": "study", "chance": 0.25, "caveat": "Arithmetic alone."}
    assert analysis.compare(found)["difference"].values[-1] == pytest.approx(0.24)


def test_a_sweep_that_was_compared_stays_as_it_was():
    sweep = study().chunk()
    attrs = {name: dict(variable.attrs) for name, variable in sweep.variables.items()}
    xr.testing.assert_identical(analysis.compare_conditions(sweep), analysis.compare_conditions(study()))
    assert all(array.chunks for array in sweep.data_vars.values())
    assert {name: variable.attrs for name, variable in sweep.variables.items()} == attrs


def test_of_cases_of_one_group_the_best_on_validation_trials_stands_for_all():
    validation = ACCURACY.copy()
    validation[:2] = [[0.9, 0.8, 0.7], [0.5, 0.6, 0.7]]  # other than on held-out trials
    found = analysis.compare_conditions(study(validation=validation))
    assert found["condition"].values.tolist() == ["one: 20 ms", "many", "LSTM"]
    np.testing.assert_array_equal(found["accuracy"], ACCURACY[[0, 2, 3]])
    assert found.attrs["caveat"].startswith("one: chosen on validation trials among 20 ms 80.0 %, 50 ms 60.0 %.")


def test_seeds_that_failed_are_left_out_of_the_choice():
    accuracy = ACCURACY.copy()
    accuracy[0, :2] = accuracy[1] = np.nan
    found = analysis.compare_conditions(study(accuracy))
    assert found["condition"].values[0] == "one: 20 ms"
    assert analysis.compare(found)["n_seeds"].values.tolist() == [1, 3, 3]


@pytest.mark.parametrize("first", [0.3, 1.0])
def test_of_sweeps_that_are_put_together_each_keeps_its_share_of_labels(first):
    """`xarray.concat` keeps the declaration of the first alone."""
    one, other = (
        study(cases=[f"{share} {case}" for case in CASES]).assign(label_share=("case", [share] * len(CASES)))
        for share in (first, 1.3 - first)
    )
    together = xr.concat([one, other], "case", data_vars="minimal")
    caveat = analysis.compare_conditions(together).attrs["caveat"]
    assert caveat.startswith("Conditions are of trainings on different shares of the labels: 30 %, 100 %.")
    alone = analysis.compare_conditions(one).attrs["caveat"]
    assert ("none was on all of them" in alone) is (first < 1)


def test_seeds_on_several_shares_of_the_labels_are_no_seeds_of_one_condition():
    whole, half = (study().assign(label_share=("case", [share] * len(CASES))) for share in (1.0, 0.5))
    together = xr.concat([whole, half.assign_coords(seed=half["seed"] + 3)], "seed", data_vars="all")
    with pytest.raises(LearnError, match=r"the same share of the labels, found 50 % and 100 %; .* along 'case'"):
        analysis.compare_conditions(together)


def test_shares_of_labels_are_not_guessed():
    with pytest.raises(LearnError, match="expected the shares of labels along the dimension 'labels', found none"):
        analysis.compare_conditions(study(labels=[1.0, 0.5]).drop_vars("labels"))


def test_fewer_labels_are_a_disturbance():
    found = analysis.compare_conditions(study(labels=[0.5, 1.0, 0.8]))
    np.testing.assert_array_equal(found["accuracy"].sel(condition="many"), ACCURACY[2])
    assert found["disturbance"].values.tolist() == ["slower", "lesion", "fewer labels"]
    fewer = found["disturbed"].sel(disturbance="fewer labels", condition="many")
    known = fewer.dropna("level")
    assert known["level"].values.tolist() == [0.0, 0.2, 0.5]
    np.testing.assert_allclose(known.mean("seed"), 0.75 * np.array([1.0, 0.8, 0.5]))
    assert np.isnan(found["disturbed"].sel(disturbance="lesion", level=0.5)).all()


def test_other_dimensions_are_named_by_their_values():
    renamed = study().rename(case="C_m").assign_coords(C_m=("C_m", [100, 200, 300, 400], {"units": "pF"}))
    found = analysis.compare_conditions(renamed)
    assert found["condition"].values.tolist() == ["C_m 100 pF", "C_m 200 pF", "C_m 300 pF", "C_m 400 pF"]


def along_cases(dim, **keys):
    """Return the study with the keys of a sweep, by their names and values, in place of its cases."""
    found = study().drop_vars("case").rename(case="other", seed="run.seed").rename_dims(other=dim)
    found["run.seed"].attrs["key"] = "seed"
    return found.assign_coords({name: (dim, values, {"key": key}) for name, (key, values) in keys.items()})


@pytest.mark.parametrize(
    ("name", "keys", "first"),
    [
        (
            "seed",
            {"seed": ("seed", range(4)), "learning_rate": ("train.learning_rate", [0.1, 0.2, 0.3, 0.4])},
            "run.seed 0, learning_rate 0.1",
        ),
        ("seed", {"seed": ("train.task.seed", range(4))}, "train.task.seed 0"),
        (
            "labels",
            {"labels": ("train.labels", [0.1, 0.2, 0.3, 0.4]), "epochs": ("train.epochs", [4, 3, 2, 1])},
            "train.labels 0.1, epochs 4",
        ),
    ],
)
def test_only_what_changes_the_seed_of_the_run_alone_is_seeds(name, keys, first):
    """Else networks that learn otherwise would be pooled as if chance alone told them apart."""
    found = analysis.compare_conditions(along_cases(name, **keys).isel({"run.seed": [0]}))
    assert found["condition"].values[0] == first
    np.testing.assert_array_equal(found["accuracy"], ACCURACY[:, :1])


def test_seeds_are_so_by_whatever_name():
    """As they are called where the seed of a task is swept beside."""
    found = analysis.compare_conditions(along_cases("task.seed", **{"task.seed": ("train.task.seed", range(4))}))
    assert found["condition"].values.tolist() == [f"task.seed {place}" for place in range(4)]
    np.testing.assert_array_equal(found["accuracy"], ACCURACY)


def test_samples_of_seeds_alone_are_seeds():
    plain = study()
    plain["seed"].attrs["key"] = "seed"
    n = plain.sizes["seed"]
    sampled = plain.swap_dims(seed="sample").assign_coords(sample=range(n))
    expected = analysis.compare_conditions(plain)
    np.testing.assert_array_equal(analysis.compare_conditions(sampled)["accuracy"], expected["accuracy"])


def test_equal_seeds_are_no_seeds_more():
    """They give equal results: an interval over them would be narrower without anything that was found."""
    plain = study()
    for given in (plain.isel(seed=[0, 1] * 4), plain.assign_coords(seed=[1, 2, 1])):
        with pytest.raises(LearnError, match=r"expected each seed once, found [01] [24] times"):
            analysis.compare_conditions(given)
    sampled = plain.assign_coords(seed=("seed", [1, 1, 2], {"key": "seed"})).swap_dims(seed="sample")
    with pytest.raises(LearnError, match="expected each seed once, found 1 2 times"):
        analysis.compare_conditions(sampled)


@pytest.mark.parametrize("levels", [("case", "seed"), ("seed", "case"), ("seed", "labels")])
def test_dimensions_that_were_stacked_are_not_pooled_as_seeds(levels):
    stacked = study(labels=[0.5, 1.0]).stack(z=levels)
    stacked["seed"].attrs["key"] = "seed"
    with pytest.raises(LearnError, match=f"stacked of {', '.join(levels)}; unstack it"):
        analysis.compare_conditions(stacked)
    if "case" in levels:
        flat = stacked.reset_index("z")
        flat["seed"].attrs["key"] = "seed"
        with pytest.raises(LearnError, match=r"expected each seed once|found that 'case' changes, too"):
            analysis.compare_conditions(flat)


def test_seeds_along_which_a_case_changes_are_refused():
    mixed = study().isel(case=0, drop=True).assign_coords(case=("seed", ["a", "b", "b"]))
    with pytest.raises(LearnError, match="found that 'case' changes, too"):
        analysis.compare_conditions(mixed)
    assert analysis.compare_conditions(mixed.assign_coords(case=("seed", ["a"] * 3))).sizes["seed"] == 3


def test_a_condition_that_is_there_twice_is_refused():
    with pytest.raises(LearnError, match="expected each condition once, found 'many' several times"):
        analysis.compare_conditions(study().isel(case=[0, 2, 2]))
    with pytest.raises(LearnError, match="found 'condition', as what is compared is called; rename it"):
        analysis.compare_conditions(study().rename(case="condition"))


FEWER = "Accuracies are of trainings on 50 % of the labels; none was on all of them."


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (study(labels=[0.3, 0.5]), True),
        (study(labels=[0.5, 1.0]).isel(labels=[0]), True),
        (study(labels=[0.5, 1.0]).isel(labels=0), True),
        (study().assign_attrs(spec=json.dumps({"train": {"labels": 0.5}})), True),
        (study(labels=[0.5, 1.0]).assign_attrs(spec=json.dumps({"train": {"labels": 0.5}})), False),
        (study().assign_attrs(spec=json.dumps({"train": {"labels": 1.0}})), False),
    ],
)
def test_where_nothing_was_trained_on_all_labels_that_is_told(given, told):
    assert (FEWER in analysis.compare_conditions(given).attrs["caveat"]) is told


def test_a_choice_among_unequal_numbers_of_seeds_is_told():
    validation = ACCURACY.copy()
    validation[1, 1:] = np.nan
    caveat = analysis.compare_conditions(study(validation=validation)).attrs["caveat"]
    assert "among 20 ms 61.0 % (n = 3), 50 ms 70.0 % (n = 1), of unequal numbers of seeds." in caveat


def by_rate(accuracy):
    """Return a sweep of two groups of cases, one of two variants, over two learning rates."""
    points = [study(values, cases=["a: 1", "a: 2", "b"]) for values in accuracy]
    found = xr.concat(points, "learning_rate").assign_coords(learning_rate=[0.1, 0.2])
    found.attrs = {"workflow": "w", "spec": json.dumps({"sweep": {"contrasts": {"c": ["a", "b"]}}})}
    return found


@pytest.mark.parametrize("order", [("case", "learning_rate", "seed"), ("learning_rate", "seed", "case")])
def test_cases_are_tuned_and_held_against_each_other_at_each_value_of_another_key(order):
    """Of the cases of group a the first is better at one rate, the second at the other."""
    accuracy = np.array([[[0.6, 0.61], [0.5, 0.51], [0.4, 0.41]], [[0.5, 0.51], [0.7, 0.71], [0.3, 0.31]]])
    found = analysis.compare_conditions(by_rate(accuracy).transpose(*order, ...))
    assert found["condition"].values.tolist() == [
        "a: 1, learning_rate 0.1",
        "a: 2, learning_rate 0.2",
        "b, learning_rate 0.1",
        "b, learning_rate 0.2",
    ]
    np.testing.assert_array_equal(found["accuracy"], accuracy[[0, 1, 0, 1], [0, 1, 2, 2]])
    assert "a, learning_rate 0.2: chosen on validation trials among 1 50.5 %, 2 70.5 %." in found.attrs["caveat"]
    contrasts = analysis.compare_contrasts(found)
    assert contrasts["contrast"].values.tolist() == ["c, learning_rate 0.1", "c, learning_rate 0.2"]
    np.testing.assert_allclose(contrasts["difference"], [0.2, 0.4])


def test_a_sweep_without_seeds_or_conditions_is_one_condition_of_one_seed():
    found = analysis.compare_conditions(study().isel(case=2, seed=0, drop=True))
    assert found["condition"].values.tolist() == ["study"]
    assert found["accuracy"].values.tolist() == [[0.75]]


def test_what_cannot_be_compared_is_refused():
    advice = r"of one that simulates, .*: tb\.analysis\.mean_over\(sweep\['"
    with pytest.raises(LearnError, match="expected a sweep of a workflow that trains, found another; " + advice):
        analysis.compare_conditions(xr.Dataset({"mean_rates": ("seed", [1.0])}))
    with pytest.raises(LearnError, match="no training that is done"):
        analysis.compare_conditions(study(np.full((4, 2), np.nan)))
    regression = study(np.full((4, 2), np.nan))
    with pytest.raises(LearnError, match="errors of a regression"):
        analysis.compare_conditions(regression.assign(squared_error=regression["chance"]))


def of_tasks(chance, accuracy=ACCURACY[1:], names=("a", "b", "c"), **spec):
    """Return a study of cases with these chances."""
    found = study(accuracy, cases=names)
    found["chance"] = found["chance"].copy(data=np.broadcast_to(np.c_[chance], accuracy.shape))
    declared = {
        "train": {"task": {"name": "xor"}},
        "sweep": {"contrasts": {"near": ["b", "a"], "far": ["c", "a"]}} | spec,
    }
    return found.assign_attrs(spec=json.dumps(declared))


def test_conditions_of_different_chance_are_not_held_against_each_other():
    comparison = analysis.compare_conditions(of_tasks([0.25, 0.25, 0.125]))
    assert "chance" not in comparison.attrs
    found = analysis.compare(comparison)
    assert found["chance"].values.tolist() == [0.25, 0.25, 0.125]
    np.testing.assert_allclose(found["difference"], [0.0, 0.06, np.nan], atol=1e-12)
    assert found["best"].values.tolist() == [False, True, True]
    assert comparison.attrs["contrasts"] == {"near": ("b", "a")}
    assert "of different tasks: contrasts far." in comparison.attrs["caveat"]
    with pytest.raises(LearnError, match="expected two conditions of one task, found 'c' and 'a'"):
        analysis.compare_contrasts(comparison, {"far": ("c", "a")})


@pytest.mark.parametrize("task", ["intervals", {"name": "intervals", "n_intervals": 2}])
def test_nor_are_those_of_different_tasks_of_one_chance(task):
    """Whether a case chooses the task or a dimension does, by its name or with its options."""
    by_case = analysis.compare_conditions(of_tasks([0.5] * 3, cases={"c": {"train.task": task}}))
    assert by_case.attrs["chance"] == 0.5
    assert by_case["task"].values.tolist() == ["xor", "xor", "intervals"]
    assert np.isnan(analysis.compare(by_case)["difference"].values).tolist() == [False, False, True]
    value = task if isinstance(task, str) else json.dumps(task)
    swept = of_tasks([0.5] * 3).drop_vars("case").rename_dims(case="task")
    swept = swept.assign_coords(task=("task", ["xor", value, "vowels"], {"key": "train.task"}))
    assert analysis.compare_conditions(swept)["task"].values.tolist() == ["xor", "intervals", "vowels"]


def opened(task, **labels):
    """Return a sweep as it is opened, each point with its task."""
    found = study(ACCURACY[1:3, :2], cases=["a", "b"]).assign_coords(labels)
    found = found.assign_attrs(spec=json.dumps({"train": {"task": {"name": task}}}))
    return found.assign(task_name=found["status"].copy(data=np.full((2, 2), task)))


@pytest.mark.parametrize("new_defaults", [True, False])
def test_sweeps_of_two_tasks_that_are_put_together_stay_of_two(new_defaults):
    """Whichever is the first, whose spec stays alone."""
    both = [opened("recall"), opened("cue", case=["a2", "b2"])]
    with xr.set_options(use_new_combine_kwarg_defaults=new_defaults):
        comparison = analysis.compare_conditions(xr.concat(both, "case"))
        assert comparison["task"].values.tolist() == ["recall", "recall", "cue", "cue"]
        found = analysis.compare(comparison)
        assert np.isnan(found["difference"]).values.tolist() == [False, False, True, True]
        assert found["best"].values.tolist() == [False, True, False, True]
        by_task = xr.concat([opened("recall"), opened("cue")], "study")
        assert set(analysis.compare_conditions(by_task)["task"].values.tolist()) == {"recall", "cue"}


def test_seeds_of_two_tasks_are_not_pooled():
    both = xr.concat([opened("recall"), opened("cue", seed=[2, 3])], "seed")
    with pytest.raises(LearnError, match="of one task in a condition, found 'cue' and 'recall'; put sweeps of several"):
        analysis.compare_conditions(both)
    more = xr.concat([opened("recall"), opened("recall", seed=[2, 3])], "seed")
    assert analysis.compare_conditions(more).sizes["seed"] == 4


def test_a_chance_of_other_seeds_makes_no_other_task():
    """Where held-out trials are drawn anew by each seed, so is chance; a seed may have failed for one condition."""
    chance = np.array([[0.25, 0.26, 0.24], [0.25, np.nan, 0.24], [np.nan] * 3])
    accuracy = np.where(np.isnan(chance), np.nan, ACCURACY[1:])
    comparison = analysis.compare_conditions(of_tasks(chance, accuracy))
    assert comparison.attrs["chance"] == pytest.approx(0.248)
    assert set(comparison.attrs["contrasts"]) == {"near", "far"}


def test_none_of_several_tasks_is_chosen_to_stand_for_them():
    with pytest.raises(LearnError, match=r"expected cases of one task .* among 'one: 4', 'one: 8'"):
        analysis.compare_conditions(of_tasks([0.25, 0.125, 0.25], names=("one: 4", "one: 8", "c"), contrasts={}))


def test_a_regression_beside_classifications_is_refused():
    mixed = of_tasks([0.25, 0.25, 3.0])
    mixed["accuracy"][2] = np.nan
    mixed["squared_error"][2] = 0.5
    with pytest.raises(LearnError, match="found errors of a regression, too, of 'c'; leave those out"):
        analysis.compare_conditions(mixed)
