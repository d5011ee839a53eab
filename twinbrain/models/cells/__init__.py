"""Cell cards: published parameters of the library's neurons, by name; one family a file."""

from twinbrain.models.cells.adaptive_exponential import ADEX_CELLS
from twinbrain.models.cells.generalised import GLIF_CELLS
from twinbrain.models.cells.izhikevich import IZHIKEVICH_2003_CELLS, IZHIKEVICH_2007_CELLS

CELL_CARDS = {
    f"{model}/{name}": card
    for model, cards in {
        "adex": ADEX_CELLS,
        "izhikevich_2003": IZHIKEVICH_2003_CELLS,
        "izhikevich_2007": IZHIKEVICH_2007_CELLS,
        "glif": GLIF_CELLS,
    }.items()
    for name, card in cards.items()
}
"""Every card, named after its model: ``"adex/tonic"``."""

__all__ = ["ADEX_CELLS", "CELL_CARDS", "GLIF_CELLS", "IZHIKEVICH_2003_CELLS", "IZHIKEVICH_2007_CELLS"]
