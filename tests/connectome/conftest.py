import numpy as np
import pytest

from twinbrain.spec.connectome import Connectome


@pytest.fixture
def connectome():
    """Three regions with everything known; no two entries alike, so that a transposed matrix shows."""
    weight = np.array([[0.0, 0.1, 2.0], [3.0, 0.0, 1 / 3], [0.0, 7e-5, 0.0]])
    length = np.array([[0.0, 10.5, 20.0], [30.25, 0.0, 40.0], [50.0, 60.125, 0.0]])
    return Connectome(
        weight,
        length,
        ["lV1", "rV1", "rMT"],
        centroids=[[-10.1, -90.0, 5.0], [10.1, -90.0, 5.0], [45.0, -70.0, 1 / 3]],
        hemisphere=["left", "right", "right"],
        cortical=[True, True, False],
        area=[100.5, 99.0, 0.0],
        name="three",
        normalisation="max",
    )
