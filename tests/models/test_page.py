from dataclasses import dataclass, field
from pathlib import Path

from twinbrain.models.cells import CELL_CARDS
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.page import page
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS

WRITTEN = Path(__file__).parents[2] / "docs" / "reference" / "models.md"


def test_the_written_page_is_what_the_cards_say():
    assert WRITTEN.read_text(encoding="utf-8") == page(), "run: make models"


def test_every_card_stands_in_it_with_equations_defaults_and_sources():
    text = page()
    for name, card in {**NEURON_MODELS, **RECEPTOR_MODELS, **PLASTICITY_MODELS}.items():
        section = text.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert card.summary in section
        assert all(f"https://doi.org/{reference}" in section for reference in card.references)
        assert all(f"`{parameter}`" in section for parameter in card.parameters)
        assert section.count("d/dt") == 0
        assert section.count("/dt =") == card.equations.count("/dt =")
    assert all(f"| `{name}` |" in text for name in CELL_CARDS)
    adex = next(line for line in text.splitlines() if line.startswith("| `adex/irregular` |"))
    assert adex.startswith("| `adex/irregular` | 100 | 12 | -60 | -50 | 2 | -11 | 130 | 30 | -48 | 0 | Irregular")


@dataclass
class Rule:
    summary: str = "Pairs of spikes."
    references: tuple[str, ...] = ("10.1000/182",)
    equations: str = "dtrace/dt = -trace/tau : 1\ntau : second"
    parameters: dict[str, str | float] = field(default_factory=lambda: {"tau": "20 ms", "gain": 0.5})


def test_further_cards_make_further_sections():
    text = page({"Plasticity": {"stdp": Rule()}})
    section = text.partition("## Plasticity\n")[2]
    assert "| `stdp` | Pairs of spikes. |" in section
    assert "```\ndtrace/dt = -trace/tau\n```" in section
    assert "Defaults: `tau` 20 ms, `gain` 0.5." in section
    assert section.endswith("Source: [10.1000/182](https://doi.org/10.1000/182).\n")
