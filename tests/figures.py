"""What a figure shows, for the tests of all figures."""

from matplotlib.axes import Axes
from matplotlib.text import Text


def overlaps(figure):
    """Pairs of texts that lie on each other, of all that the figure shows."""
    beyond = set()
    for axis in (axis for ax in figure.findobj(Axes) for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        # Ticks outside the limits exist, but are not drawn.
        ticks = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
        beyond |= {label for tick in ticks for label in (tick.label1, tick.label2)}
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent().shrunk(0.98, 0.8)) for t in shown if t not in beyond]
    return [
        (text, other)
        for i, (text, box) in enumerate(boxes)
        for other, place in boxes[i + 1 :]
        if box.width and place.width and box.overlaps(place)
    ]
