import twinbrain as tb
from twinbrain.spec.called import called_in_list, called_in_table


def test_a_label_with_brackets_in_a_key_means_projections_there_alone():
    given = {"receptor": "delta", "connect": {"in_degree": 1}, "weight": "1 mV", "delay": "1 ms"}
    ends = [("V.e", "M[1].e"), ("V.e", "M1.e"), ("V.e", "M[1].i")]
    projections = [tb.Projection(source=source, target=target, **given) for source, target in ends]
    assert called_in_list("V.e->M[1].*", projections, "projections", "") == ["0", "2"]
    assert called_in_list("V.*->M?.e", projections, "projections", "") == ["1"]


def test_a_region_goes_by_the_label_that_its_key_means():
    """As a pattern, ``M[1]`` would mean ``M1``."""
    table = {"M[[]1]": 1, "M1": 2, "V[12]": 3}
    assert called_in_table("M[1]", table, "") == called_in_table("M[[]1]", table, "") == ["M[[]1]"]
    assert called_in_table("M?", table, "") == ["M1"]
    assert called_in_table("V[12]", table, "") == ["V[12]"]
