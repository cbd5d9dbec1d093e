"""Every error that evoengine raises on purpose.

EvoengineError
├── SettingError      a setting's name or value is wrong
├── PluginError       a plugin is unknown, claimed twice, or fails to import
├── ProblemError      a problem breaks its contract (its seed does not score, say)
├── CampaignError     a campaign is asked for something that its record contradicts
├── StoreError        a store cannot be opened, read or written
├── SandboxError      the sandbox itself failed; never a candidate's doing
├── ExecutorError     the machinery that runs evaluations failed
├── GeneratorError    a language model cannot be had
│   └── NoAnswer      it has no answer to one prompt
├── TrainerError      a model cannot be trained, or not any further
└── MissingExtra      an optional dependency is not installed

Each message says what was asked, what was found and what to do next. A candidate's failure is not
here: it is a value, `evoengine.types.Failed`.
"""

from __future__ import annotations


class EvoengineError(Exception):
    """The root of the tree above; its text is one clear line for a person."""


class SettingError(EvoengineError):
    """A setting's name is unknown or its value is not acceptable."""


class PluginError(EvoengineError):
    """A plugin is unknown, claimed by two places, or fails to import."""


class ProblemError(EvoengineError):
    """A problem breaks its contract."""


class CampaignError(EvoengineError):
    """A campaign is asked for something that its record contradicts."""


class StoreError(EvoengineError):
    """A store cannot be opened, read or written."""


class SandboxError(EvoengineError):
    """The sandbox itself failed: set-up, transport, its own processes."""


class ExecutorError(EvoengineError):
    """The machinery that runs evaluations failed, more often than it is retried."""


class GeneratorError(EvoengineError):
    """A language model cannot be had until a person has done something."""


class NoAnswer(GeneratorError):
    """A language model has no answer to one prompt; the next may have one."""


class TrainerError(EvoengineError):
    """A model cannot be trained, or not any further, until a person has done something."""


class MissingExtra(EvoengineError):
    """An optional dependency is not installed.

    Args:
        feature: what was asked for, in words.
        extra: the extra of this package that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency; run: pip install 'evoengine[{extra}]'")
