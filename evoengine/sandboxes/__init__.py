"""Sandboxes: where candidates run."""

from evoengine.sandboxes._probe import Probed, probe
from evoengine.sandboxes.base import CandidateError, Job, Outcome, Sandbox, Session

__all__ = ["CandidateError", "Job", "Outcome", "Probed", "Sandbox", "Session", "probe"]
