"""Analyses of runs and of trained networks: functions on xarray objects; the accessor ``twin`` has those of runs."""

from twinbrain.analysis.ablation import ablation as ablation
from twinbrain.analysis.ablation import ablation_over_seeds as ablation_over_seeds
from twinbrain.analysis.comparison import compare as compare
from twinbrain.analysis.conditions import compare_conditions as compare_conditions
from twinbrain.analysis.confidence import mean_over as mean_over
from twinbrain.analysis.connectivity import functional_connectivity as functional_connectivity
from twinbrain.analysis.connectivity import structure_function as structure_function
from twinbrain.analysis.connectivity import tells_correlations as tells_correlations
from twinbrain.analysis.contrasts import compare_contrasts as compare_contrasts
from twinbrain.analysis.decoding import decoding as decoding
from twinbrain.analysis.dimensionality import participation_ratio as participation_ratio
from twinbrain.analysis.dimensionality import trajectories as trajectories
from twinbrain.analysis.gradients import gradient_health as gradient_health
from twinbrain.analysis.grouping import select_populations as select_populations
from twinbrain.analysis.intervals import cv_isi as cv_isi
from twinbrain.analysis.intervals import interval_statistics as interval_statistics
from twinbrain.analysis.rates import mean_rates as mean_rates
from twinbrain.analysis.rates import rates as rates
from twinbrain.analysis.same_task import groups_of_tasks as groups_of_tasks
from twinbrain.analysis.selectivity import selectivity as selectivity
from twinbrain.analysis.spectrum import spectrum as spectrum
from twinbrain.analysis.spikes import spikes as spikes
from twinbrain.analysis.state import state as state
from twinbrain.analysis.summary import summarise as summarise
from twinbrain.analysis.synchrony import fano_factor as fano_factor
from twinbrain.analysis.synchrony import synchrony as synchrony
from twinbrain.analysis.time_scales import time_scales as time_scales
from twinbrain.analysis.tree import connectome as connectome
from twinbrain.analysis.tree import populations as populations
from twinbrain.analysis.tree import regions as regions
from twinbrain.analysis.tree import stimuli as stimuli
from twinbrain.analysis.tree import warm_up as warm_up
from twinbrain.analysis.tuning import tuning as tuning

# Last, since it names the functions above; to import it is to register it.
from twinbrain.analysis.accessor import TwinAccessor as TwinAccessor  # isort: skip
