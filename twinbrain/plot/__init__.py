"""Figures of runs, connectomes and trained networks, drawn with matplotlib.

Each function draws on the axes that it is given, or on those of a new figure, and returns them. In a notebook, and
where a program uses pyplot with windows, new figures are pyplot's, and so are shown; elsewhere no screen is needed, and
a figure goes when it is no longer used.
"""

from twinbrain.plot.ablation import ablation as ablation
from twinbrain.plot.brain_map import brain_map as brain_map
from twinbrain.plot.canvas import save as save
from twinbrain.plot.comparison import comparison_figure as comparison_figure
from twinbrain.plot.comparison_table import comparison_remarks as comparison_remarks
from twinbrain.plot.comparison_table import comparison_rows as comparison_rows
from twinbrain.plot.comparison_table import comparison_table as comparison_table
from twinbrain.plot.comparison_table import contrast_rows as contrast_rows
from twinbrain.plot.connectome import connectome_matrix as connectome_matrix
from twinbrain.plot.contrasts import contrasts_figure as contrasts_figure
from twinbrain.plot.gradients import gradient_health as gradient_health
from twinbrain.plot.learning_curves import learning_curves as learning_curves
from twinbrain.plot.matrices import confusion as confusion
from twinbrain.plot.matrices import functional_connectivity as functional_connectivity
from twinbrain.plot.raster import raster as raster
from twinbrain.plot.rates import rates as rates
from twinbrain.plot.spectrum import spectrum as spectrum
from twinbrain.plot.structure_function import structure_function as structure_function
from twinbrain.plot.summary import summary_figure as summary_figure
from twinbrain.plot.time_scales import time_scales as time_scales
from twinbrain.plot.traces import traces as traces
from twinbrain.plot.trajectories import trajectories as trajectories
from twinbrain.plot.tuning import selectivity as selectivity
from twinbrain.plot.tuning import tuning as tuning
