"""The network of MIST (arXiv 2511.18945): a set of joint samples becomes an estimate in nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.mist.rows import WIDTH
from rl_info.estimators.mist.set_transformer import (
    InducedSelfAttentionBlock,
    Mask,
    PoolingByAttention,
    SelfAttentionBlock,
)
from rl_info.estimators.mist.summary import CONTEXT


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the network; the defaults are the paper's."""

    row_hidden: int = 512
    """Units of the hidden layer that every row goes through first."""
    width: int = 256
    """Width of all attention."""
    heads: int = 16
    """Attention heads."""
    feed_forward: int = 1024
    """Hidden units of the feed-forward part of every block."""
    self_attention_blocks: int = 2
    """Blocks in which every row reads every other row."""
    induced_blocks: int = 2
    """Blocks in which rows read one another through inducing points."""
    inducing_points: int = 32
    """Inducing points of each."""
    seeds: int = 10
    """Vectors that a set is pooled into."""
    head_hidden: int = 256
    """Units of each of the three hidden layers of the head."""
    target: Literal["quantile", "mean"] = "quantile"
    """Predict the quantile of a given level (pinball loss), or the mean (squared error)."""


class RowEncoder(nn.Module):
    """A perceptron over single rows, half of whose hidden units are products of two projections.

    Products let a mean over rows be a second moment, which is what correlations are made of.
    """

    def __init__(self, width_in: int, hidden: int, width_out: int) -> None:
        super().__init__()
        self.plain = nn.Linear(width_in, hidden // 2)
        self.factors = nn.Linear(width_in, 2 * (hidden // 2))
        self.out = nn.Linear(2 * (hidden // 2), width_out)

    def forward(self, rows: Float[Tensor, "B N C"]) -> Float[Tensor, "B N H"]:
        """Every row by itself."""
        left, right = self.factors(rows).chunk(2, dim=-1)
        return self.out(torch.cat([torch.relu(self.plain(rows)), left * right], dim=-1))


class MISTModel(nn.Module):
    """Set Transformer over rows and a head that reads the pooled set, its summary and a level.

    In `quantile` mode outputs are on the scale ln(1 + I), in `mean` mode in nats.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        sizes = (config.width, config.heads, config.feed_forward)
        self.rows = RowEncoder(WIDTH, config.row_hidden, config.width)
        self.blocks = nn.ModuleList(
            [SelfAttentionBlock(*sizes) for _ in range(config.self_attention_blocks)]
            + [
                InducedSelfAttentionBlock(*sizes, config.inducing_points)
                for _ in range(config.induced_blocks)
            ]
        )
        self.pool = PoolingByAttention(*sizes, config.seeds)
        self.combine = SelfAttentionBlock(*sizes)
        self.summary = PoolingByAttention(*sizes, 1)
        hidden = config.head_hidden
        self.normalise = nn.LayerNorm(config.width)
        self.head = nn.Sequential(
            nn.Linear(config.width + CONTEXT + 2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def embed(self, rows: Float[Tensor, "B N C"], mask: Mask | None = None) -> Float[Tensor, "B H"]:
        """One vector for every set of prepared rows."""
        hidden = self.rows(rows)
        for block in self.blocks:
            hidden = block(hidden, mask)
        pooled = self.combine(self.pool(hidden, mask))
        return self.summary(pooled)[:, 0]

    def read(
        self,
        embedded: Float[Tensor, "B H"],
        context: Float[Tensor, "B K"],
        levels: Float[Tensor, "B Q"],
    ) -> Float[Tensor, "B Q"]:
        """Predictions for each of Q levels in (0, 1), which the `mean` mode does not read."""
        quantile = self.config.target == "quantile"
        probit = torch.special.ndtri(levels)
        asked = torch.stack([levels - 0.5, probit], dim=-1) * float(quantile)
        known = torch.cat([self.normalise(embedded.float()), context], dim=-1)
        known = known[:, None, :].expand(-1, levels.shape[1], -1)
        return self.head(torch.cat([known, asked], dim=-1)).squeeze(-1)

    def forward(
        self,
        rows: Float[Tensor, "B N C"],
        context: Float[Tensor, "B K"],
        levels: Float[Tensor, "B Q"],
        mask: Mask | None = None,
    ) -> Float[Tensor, "B Q"]:
        """Predictions for prepared rows."""
        return self.read(self.embed(rows, mask), context, levels)
