"""What the objectives ask of their arguments, and the types they share."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

Metrics = dict[str, Tensor]
"""Terms of a loss by name, detached scalars."""

Positive = float | Float[Tensor, ""]
"""A positive number such as a temperature; a tensor may be learned and is not checked."""


def require_positive(name: str, value: Positive) -> None:
    """Raise ValueError unless a number is above zero; tensors pass, so that nothing is synced."""
    if not isinstance(value, Tensor) and not value > 0:
        raise ValueError(f"{name} must be above 0, got {value}")


def require_batch(rows: int, minimum: int = 2) -> None:
    """Raise ValueError for fewer than `minimum` rows: there is nothing to contrast with."""
    if rows < minimum:
        raise ValueError(f"the batch has {rows} row(s); this objective needs at least {minimum}")


def require_views(views: int, minimum: int = 2) -> None:
    """Raise ValueError for fewer than `minimum` views, modalities or levels."""
    if views < minimum:
        raise ValueError(f"{views} view(s) or modality(ies) given; at least {minimum} are needed")
