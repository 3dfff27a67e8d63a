"""Estimators of mutual information and entropy, in nats, by name."""

from __future__ import annotations

ESTIMATORS: dict[str, str] = {}
"""Name of each estimator -> one line of description; none is part of this version."""
