"""Sandboxes: where candidates run."""

from evoengine.sandboxes._tiers import Probed, probe
from evoengine.sandboxes.base import CandidateError, Job, Outcome, Sandbox, Session

__all__ = ["CandidateError", "Job", "Outcome", "Probed", "Sandbox", "Session", "probe"]
