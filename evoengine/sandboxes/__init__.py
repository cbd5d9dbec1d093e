"""Sandboxes: where candidates run."""

from evoengine.sandboxes.base import CandidateError, Job, Outcome, Sandbox, Session

__all__ = ["CandidateError", "Job", "Outcome", "Sandbox", "Session"]
