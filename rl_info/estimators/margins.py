"""Maps of single columns, learned from some samples and applied to others.

Strictly increasing maps of the columns leave mutual information unchanged; any map can only lower
it, so a lower bound stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Margins = Literal["rank", "standard", "raw"]
"""How columns are prepared: normal scores of the ranks, zero mean and unit deviation, or not."""


class RankScores(nn.Module):
    """Φ⁻¹ of the empirical distribution function: each column becomes roughly standard normal.

    Between the samples it was learned from, (N, X), the map is linear; beyond them it is constant.
    Tied samples share the mean of their ranks. Heavy tails and skew vanish.
    """

    values: Tensor
    scores: Tensor

    def __init__(self, samples: Float[Tensor, "N X"]) -> None:
        super().__init__()
        ordered = samples.sort(dim=0).values.T.contiguous()
        first = torch.searchsorted(ordered, ordered, side="left")
        last = torch.searchsorted(ordered, ordered, side="right")
        rank = (first + last).double() / 2
        self.register_buffer("values", ordered)
        self.register_buffer(
            "scores", torch.special.ndtri(rank / samples.shape[0]).clamp(*_tails(samples.shape[0]))
        )

    def forward(self, samples: Float[Tensor, "M X"]) -> Float[Tensor, "M X"]:
        """Normal scores of other samples of the same columns, in their dtype."""
        columns = samples.T.contiguous()
        last = self.values.shape[1] - 1
        above = torch.searchsorted(self.values, columns).clamp(max=last)
        below = (above - 1).clamp_min(0)
        low, high = self.values.gather(1, below), self.values.gather(1, above)
        gap = high - low
        share = torch.where(gap > 0, (columns - low) / gap, torch.ones_like(gap)).clamp(0, 1)
        left, right = self.scores.gather(1, below), self.scores.gather(1, above)
        return torch.lerp(left, right, share.double()).T.to(samples.dtype)


class StandardScores(nn.Module):
    """(x − mean) / deviation of each column of the samples (N, X) it was learned from."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, samples: Float[Tensor, "N X"]) -> None:
        super().__init__()
        deviation = samples.std(dim=0, correction=0)
        self.register_buffer("mean", samples.mean(dim=0))
        self.register_buffer(
            "deviation", torch.where(deviation > 0, deviation, torch.ones_like(deviation))
        )

    def forward(self, samples: Float[Tensor, "M X"]) -> Float[Tensor, "M X"]:
        """Standardised samples; a column that was constant is only centred."""
        return (samples - self.mean) / self.deviation


class RawScores(nn.Module):
    """The columns as they are."""

    def __init__(self, samples: Float[Tensor, "N X"]) -> None:
        super().__init__()

    def forward(self, samples: Float[Tensor, "M X"]) -> Float[Tensor, "M X"]:
        """`samples`."""
        return samples


MARGINS: Mapping[Margins, Callable[[Tensor], nn.Module]] = MappingProxyType(
    {"rank": RankScores, "standard": StandardScores, "raw": RawScores}
)
"""The maps by name, each learned from samples (N, X)."""


def _tails(samples: int) -> tuple[float, float]:
    """Scores of half a sample from either end, where the empirical distribution stops."""
    end = float(torch.special.ndtri(torch.tensor(1 - 0.5 / samples, dtype=torch.float64)))
    return -end, end
