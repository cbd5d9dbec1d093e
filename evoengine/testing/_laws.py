"""What the contracts share."""

from __future__ import annotations

from hypothesis import HealthCheck

INHERITED = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow]
"""What hypothesis would hold against a property in a class with fixtures that others inherit."""
