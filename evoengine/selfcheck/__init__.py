"""Whether a sandbox holds on this machine: a corpus of attacks, and a judge that looks from outside."""

from evoengine.selfcheck.checking import self_check
from evoengine.selfcheck.corpus import GROUPS, Attack, attacks
from evoengine.selfcheck.judging import Judge, Verdict
from evoengine.selfcheck.world import World

__all__ = ["GROUPS", "Attack", "Judge", "Verdict", "World", "attacks", "self_check"]
