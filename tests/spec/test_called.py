import twinbrain as tb
from twinbrain.spec.called import called_in_list


def test_a_label_with_brackets_in_a_key_means_projections_there_alone():
    given = {"receptor": "delta", "connect": {"in_degree": 1}, "weight": "1 mV", "delay": "1 ms"}
    ends = [("V.e", "M[1].e"), ("V.e", "M1.e"), ("V.e", "M[1].i")]
    projections = [tb.Projection(source=source, target=target, **given) for source, target in ends]
    assert called_in_list("V.e->M[1].*", projections, "projections", "") == ["0", "2"]
    assert called_in_list("V.*->M?.e", projections, "projections", "") == ["1"]
