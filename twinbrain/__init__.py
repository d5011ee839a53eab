"""Brain-inspired modelling: declare a brain once, simulate it, train it, scale it out, keep it and look at it."""

from typing import Any as _Any

import lazy_loader as _lazy

_attribute, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=["analysis", "connectome", "plot"],
    submod_attrs={
        "analysis.conditions": ["compare_conditions"],
        "connectome": [
            "connectome_names",
            "load_connectome",
            "normalise",
            "read_connectome",
            "rewire",
            "synthetic_connectome",
            "write_connectome",
        ],
        "engines.base": ["get_engine"],
        "errors": [
            "BreakdownError",
            "BreakdownWarning",
            "ClusterError",
            "ConnectomeError",
            "EngineError",
            "ExchangeError",
            "ExchangeWarning",
            "FunctionWarning",
            "LearnError",
            "MissingPackageError",
            "PlanError",
            "RunInterrupted",
            "SpecError",
            "StoreError",
            "TwinbrainError",
            "UnitError",
        ],
        "exchange.brain_write": ["write_brain"],
        "exchange.nir_read": ["read_nir"],
        "exchange.nir_write": ["write_nir"],
        "exchange.sonata_read": ["read_sonata"],
        "exchange.sonata_write": ["write_sonata"],
        "learn.baselines.matched": ["train_baseline"],
        "learn.spiking_cell": ["spiking_cell"],
        "learn.tasks.datasets": ["task_of"],
        "learn.tasks.registry": ["register_task", "task", "task_names"],
        "learn.tasks.task": ["Task"],
        "learn.tasks.trials": ["Trials", "trials_of"],
        "learn.resume": ["open_training", "resume_training"],
        "learn.train": ["train"],
        "models.library": ["cell_card", "cell_card_names"],
        "run.check": ["check_store"],
        "run.open": ["open_run"],
        "run.simulate": ["resume", "simulate"],
        "run.sweep.open": ["open_sweep"],
        "run.sweep.sweep": ["resume_sweep", "sweep"],
        "run.synapses": ["read_synapses"],
        "store.durable": ["durable"],
        "spec.brain": ["Brain", "LongRange"],
        "spec.cell": ["Cell"],
        "spec.cluster": ["ClusterProfile"],
        "spec.connectome": ["Connectome"],
        "spec.drive": ["Drive", "Stimulus"],
        "spec.explicit": ["Explicit"],
        "spec.load": ["load_region", "load_workflow", "region_names", "workflow_names"],
        "spec.model": ["NeuronModel", "ReceptorModel"],
        "spec.plasticity": ["Plasticity", "PlasticityModel"],
        "spec.population": ["Population"],
        "spec.ports": ["Ports"],
        "spec.projection": ["Connect", "Pairs", "Projection"],
        "spec.record": ["Record", "StateRecord"],
        "spec.region": ["Region"],
        "spec.signal": ["Pulses", "SampledWaveform", "Sine", "SpikeTrains"],
        "spec.sweep": ["Samples", "Sweep"],
        "spec.workflow": ["Run", "Workflow"],
        "spec.write": ["write_region"],
    },
)


def __getattr__(name: str) -> _Any:
    """Load a public name when it is used first; where a package is missing for it, say which extra holds it."""
    if not __debug__:
        from twinbrain.interpreter import check_interpreter

        check_interpreter()
    try:
        return _attribute(name)
    except ModuleNotFoundError as error:
        from twinbrain.extras import named

        raise named(error) from None
