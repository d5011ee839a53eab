"""A backend of matplotlib whose figures somebody would see; `SHOWN` counts them."""

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg


class FigureManager(FigureManagerBase):
    """A window."""


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager
