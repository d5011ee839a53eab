"""Brain-inspired modelling: declare a brain once, simulate it, train it, scale it out, keep it and look at it."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=["analysis", "connectome", "plot"],
    submod_attrs={
        "connectome": [
            "connectome_names",
            "load_connectome",
            "normalise",
            "read_connectome",
            "synthetic_connectome",
            "write_connectome",
        ],
        "engines.base": ["get_engine"],
        "errors": [
            "ConnectomeError",
            "EngineError",
            "ExchangeError",
            "PlanError",
            "RunInterrupted",
            "SpecError",
            "StoreError",
            "TwinbrainError",
            "UnitError",
        ],
        "exchange.nir_read": ["read_nir"],
        "exchange.nir_write": ["write_nir"],
        "exchange.sonata_read": ["read_sonata"],
        "exchange.sonata_write": ["write_sonata"],
        "models.library": ["cell_card", "cell_card_names"],
        "run.open": ["open_run"],
        "run.simulate": ["resume", "simulate"],
        "spec.brain": ["Brain", "LongRange"],
        "spec.cell": ["Cell"],
        "spec.connectome": ["Connectome"],
        "spec.drive": ["Drive", "Stimulus"],
        "spec.load": ["load_region", "load_workflow", "region_names", "workflow_names"],
        "spec.model": ["NeuronModel", "ReceptorModel"],
        "spec.population": ["Population"],
        "spec.projection": ["Connect", "Projection"],
        "spec.record": ["Record", "StateRecord"],
        "spec.region": ["Ports", "Region"],
        "spec.signal": ["Pulses", "Samples", "Sine", "SpikeTrains"],
        "spec.workflow": ["Run", "Workflow"],
    },
)
