import pytest

from twinbrain.connectome.hemispheres import hemispheres_from_labels


@pytest.mark.parametrize(
    ("labels", "sides"),
    [
        (["rV1", "lV1"], ["right", "left"]),
        (["rHC", "lHC"], ["right", "left"]),
        (["rhV1", "lhV1"], ["right", "left"]),
        (["r_insula", "l_insula"], ["right", "left"]),
        (["BG-Cd_R", "BG-Cd_L"], ["right", "left"]),
        (["Left-Thalamus", "Right-Thalamus"], ["left", "right"]),
        (["LH.V1", "RH.V1", "brainstem"], ["left", "right", ""]),
        (["insula_left", "insula_right"], ["left", "right"]),
    ],
)
def test_a_label_with_a_mirror_image_names_its_side(labels, sides):
    assert hemispheres_from_labels(labels) == sides


@pytest.mark.parametrize("labels", [["lingual", "rim"], ["light", "right"], ["lV1", "lV2"], ["A", "B"], ["l", "r"]])
def test_other_labels_name_none(labels):
    assert hemispheres_from_labels(labels) is None
