"""Many measurements one after another: which models, and the loop that measures them."""

from explorer.sweeps.choosing import select_models
from explorer.sweeps.running import run_sweep

__all__ = ["run_sweep", "select_models"]
