"""Contract tests for authors of plugins: write one fixture, inherit the rest.

class TestMySandbox(SandboxContract):
    @pytest.fixture
    def sandbox(self):
        sandbox = MySandbox()
        yield sandbox
        sandbox.shutdown()
"""

from __future__ import annotations

from evoengine.testing.advantage import AdvantageContract, returns_of_rewards
from evoengine.testing.allocation import AllocationContract
from evoengine.testing.archive import ArchiveContract
from evoengine.testing.executor import ExecutorContract, Puppet, ran
from evoengine.testing.gate import GateContract, draft_after, examined
from evoengine.testing.loss import LossContract, micro_of, part_of, whole_of
from evoengine.testing.problem import ContextProblemContract, InProcess, ProblemContract, judged_under
from evoengine.testing.reward import RewardContract, scores_of
from evoengine.testing.sandbox import SandboxContract, job_of
from evoengine.testing.selector import SelectorContract, elites_of
from evoengine.testing.store import StoreContract

__all__ = [
    "AdvantageContract",
    "AllocationContract",
    "ArchiveContract",
    "ContextProblemContract",
    "ExecutorContract",
    "GateContract",
    "InProcess",
    "LossContract",
    "ProblemContract",
    "Puppet",
    "RewardContract",
    "SandboxContract",
    "SelectorContract",
    "StoreContract",
    "draft_after",
    "elites_of",
    "examined",
    "job_of",
    "judged_under",
    "micro_of",
    "part_of",
    "ran",
    "returns_of_rewards",
    "scores_of",
    "whole_of",
]
