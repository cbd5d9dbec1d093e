"""What an evaluator may return in the place of a dict of metrics."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class EvaluationResult:
    """Metrics by name, and texts or bytes for whoever looks into them."""

    metrics: dict[str, float]
    artifacts: dict[str, str | bytes] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, metrics: dict[str, float]) -> EvaluationResult:
        """The result with these metrics."""
        return cls(metrics=metrics)

    def to_dict(self) -> dict[str, float]:
        """The metrics alone."""
        return self.metrics

    def has_artifacts(self) -> bool:
        """Whether there is any artifact."""
        return len(self.artifacts) > 0

    def get_artifact_keys(self) -> list[str]:
        """The artifacts' names."""
        return [*self.artifacts]

    def get_artifact_size(self, key: str) -> int:
        """Bytes of an artifact; 0 of one that is not there."""
        value = self.artifacts.get(key, b"")
        return len(value) if isinstance(value, bytes) else len(str(value).encode())

    def get_total_artifact_size(self) -> int:
        """Bytes of all artifacts."""
        return sum(map(self.get_artifact_size, self.artifacts))
