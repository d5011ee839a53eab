"""``python -m twinbrain.cli`` is ``twinbrain``."""

from twinbrain.cli import main

main()
