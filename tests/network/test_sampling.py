import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twinbrain.errors import SpecError, UnitError
from twinbrain.network.random import stream_key
from twinbrain.network.sampling import mean_size, sample
from twinbrain.spec.quantity import Distribution

N = 20_000


def draw(table, unit="mV", n=N, key="x"):
    return sample(Distribution.parse(table), unit, n, stream_key(1, key))


@pytest.mark.parametrize(
    ("table", "law"),
    [
        ({"normal": ["-70 mV", "3 mV"]}, stats.norm(-70, 3)),
        ({"uniform": ["-70 mV", "-50 mV"]}, stats.uniform(-70, 20)),
        ({"lognormal": ["2 mV", 0.5]}, stats.lognorm(0.5, scale=2)),
        ({"gamma": ["4 mV", 3]}, stats.gamma(3, scale=4 / 3)),
        ({"normal": ["0 V", "1 mV"], "min": "-1 mV", "max": "2 mV"}, stats.truncnorm(-1, 2)),
        ({"normal": ["0 mV", "1 mV"], "min": "1 mV"}, stats.truncnorm(1, np.inf)),
        ({"uniform": ["0 mV", "10 mV"], "max": "4 mV"}, stats.uniform(0, 4)),
    ],
)
def test_a_distribution_is_what_it_says(table, law):
    found = draw(table)
    assert stats.kstest(found, law.cdf).pvalue > 1e-3
    assert found.mean() == pytest.approx(law.mean(), abs=5 * law.std() / np.sqrt(N))
    assert found.std() == pytest.approx(law.std(), rel=0.05)


@pytest.mark.parametrize(
    ("table", "law", "low", "high"),
    [
        ({"lognormal": ["2 mV", 0.5], "min": "1.5 mV", "max": "3 mV"}, stats.lognorm(0.5, scale=2), 1.5, 3.0),
        ({"gamma": ["4 mV", 3], "min": "2 mV"}, stats.gamma(3, scale=4 / 3), 2.0, np.inf),
    ],
)
def test_a_truncated_distribution_is_the_whole_one_within_its_bounds(table, law, low, high):
    found = draw(table)
    assert low <= found.min() <= found.max() <= high
    share = law.cdf(high) - law.cdf(low)
    assert stats.kstest(found, lambda x: (law.cdf(x) - law.cdf(low)) / share).pvalue > 1e-3


@given(
    st.sampled_from(["normal", "lognormal", "gamma", "uniform"]),
    st.floats(0.1, 10),
    st.floats(0.1, 2),
    st.floats(0.05, 0.45),
    st.floats(0.55, 0.95),
)
def test_bounds_are_kept_exactly(kind, first, second, low, high):
    pair = [f"{first} mV", second if kind in ("lognormal", "gamma") else f"{second} mV"]
    if kind == "uniform":
        pair[1] = f"{first + second} mV"
    whole = np.quantile(draw({kind: pair}, n=1000), [low, high])
    low, high = (float(f"{bound:.9g}") for bound in whole)
    found = draw({kind: pair, "min": f"{low} mV", "max": f"{high} mV"}, n=1000)
    assert low <= found.min() < found.max() <= high


def test_a_shared_value_is_the_same_for_all():
    assert sample("0.01 V", "mV", 3, stream_key(1, "x")).tolist() == [10.0, 10.0, 10.0]
    assert sample(2.5, "1", 2, stream_key(1, "x")).tolist() == [2.5, 2.5]


def test_values_are_in_the_coherent_unit():
    assert sample("30 Hz", "Hz", 1, stream_key(1, "x")).item() == 0.03
    assert draw({"uniform": ["1 s", "1 s"]}, "ms", 2).tolist() == [1000.0, 1000.0]


def test_values_without_spread_are_all_alike():
    assert draw({"normal": ["3 mV", "0 mV"]}, n=2).tolist() == [3.0, 3.0]
    assert draw({"normal": ["3 mV", "0 mV"], "min": "0 mV"}, n=2).tolist() == [3.0, 3.0]


def test_streams_give_each_their_own_values():
    table = {"normal": ["0 mV", "1 mV"]}
    assert draw(table, key="a").tolist() == draw(table, key="a").tolist()
    assert abs(np.corrcoef(draw(table, key="a"), draw(table, key="b"))[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-3 mV", 3.0),
        ({"normal": ["2 mV", "0.1 mV"]}, 2.0),
        ({"normal": ["0 mV", "1 mV"]}, np.sqrt(2 / np.pi)),
        ({"lognormal": ["2 mV", 0.5]}, 2 * np.exp(0.125)),
        ({"gamma": ["4 mV", 3]}, 4.0),
        ({"uniform": ["-1 mV", "1 mV"]}, 0.5),
    ],
)
def test_the_mean_size_is_the_mean_of_the_absolute_value(value, expected):
    value = Distribution.parse(value) if isinstance(value, dict) else value
    assert mean_size(value, "mV") == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"uniform": ["3 mV", "1 mV"]}, r"expected uniform = \[low, high\], found 3 mV above 1 mV"),
        ({"lognormal": ["1 mV", 1e300]}, "expected a lognormal distribution whose values can be computed with"),
        ({"gamma": ["1 mV", 1e-320]}, "expected a gamma distribution whose values can be computed with"),
        ({"normal": ["1 mV", "1e300 mV"]}, "expected a normal distribution whose values can be computed with"),
        ({"normal": ["3 mV", "-1 mV"]}, "expected a standard deviation of at least 0, found -1 mV"),
        ({"lognormal": ["0 mV", 0.5]}, "expected a positive lognormal scale, found 0 mV"),
        ({"gamma": ["-1 mV", 0.5]}, "expected a positive gamma scale, found -1 mV"),
        ({"normal": ["0 mV", "1 mV"], "min": "2 mV", "max": "1 mV"}, "expected min below max, found 2 mV and 1 mV"),
        ({"normal": ["0 mV", "1 mV"], "min": "9 mV"}, "expected bounds that hold some of the normal distribution"),
        ({"uniform": ["0 mV", "1 mV"], "max": "-1 mV"}, "expected bounds that hold some of the uniform distribution"),
    ],
)
def test_what_cannot_be_drawn_is_refused(table, message):
    with pytest.raises(SpecError, match=message):
        draw(table)


@pytest.mark.parametrize(
    "table", [{"normal": ["0 nS", "1 nS"]}, {"lognormal": [1.0, 0.5]}, {"uniform": ["0 mV", "1 nS"]}]
)
def test_another_dimension_is_refused(table):
    with pytest.raises(UnitError, match="expected a quantity in mV"):
        draw(table)
