"""Looking at campaigns from Python: tables, plots, and comparisons of what was reached.

Each takes a `Campaign`, a store or its URL with a campaign's name, or the `Reading` of one.
"""

from evoengine.analysis.framing import frame
from evoengine.analysis.plots import plot_archive, plot_history, plot_lineage

__all__ = ["frame", "plot_archive", "plot_history", "plot_lineage"]
