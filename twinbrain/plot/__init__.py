"""Figures of runs and connectomes, drawn with matplotlib, without a screen.

Each function draws on the axes that it is given, or on those of a new figure, and returns them.
"""

from twinbrain.plot.brain_map import brain_map as brain_map
from twinbrain.plot.canvas import save as save
from twinbrain.plot.connectome import connectome_matrix as connectome_matrix
from twinbrain.plot.raster import raster as raster
from twinbrain.plot.rates import rates as rates
from twinbrain.plot.spectrum import spectrum as spectrum
from twinbrain.plot.summary import summary_figure as summary_figure
