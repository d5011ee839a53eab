import torch

from twinbrain.learn.baselines.cnn import ImageConvolution, TemporalConvolution


def test_a_convolution_over_time_sees_its_reach_and_no_further_and_nothing_later():
    model = TemporalConvolution(2, 3, 4, kernel=3)
    input = torch.randn(30, 2, 2, generator=torch.Generator().manual_seed(0))
    changed = input.clone()
    changed[10] += 5
    differs = (model(input) != model(changed)).any(2).any(1)
    assert differs.nonzero()[:, 0].tolist() == list(range(10, 10 + model.reach))
    assert model(input).shape == (30, 2, 3)


def test_a_convolution_over_time_gives_the_same_wherever_a_pattern_stands():
    model = TemporalConvolution(1, 1, 4, kernel=3).double()
    early, late = torch.zeros(2, 30, 1, 1, dtype=torch.float64)
    early[9], late[15] = 1, 1
    assert torch.allclose(model(early)[9:20], model(late)[15:26], atol=1e-6)


def test_each_image_is_answered_alone_and_by_its_pixels():
    model = ImageConvolution(64, 10, 3).double()
    images = torch.rand(1, 5, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert model(images).shape == (1, 5, 10)
    assert torch.allclose(model(images)[:, 2:3], model(images[:, 2:3]), atol=1e-6)
    shuffled = images[:, :, torch.randperm(64, generator=torch.Generator().manual_seed(1))]
    assert not torch.allclose(model(images), model(shuffled), atol=1e-3)
