"""A critic on top of the log ratio of a fitted normal distribution."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.gaussian_ratio import GaussianRatio

SHRINKAGES = (1.0, 0.9, 0.75, 0.5, 0.25, 0.0)


class RatioModel(nn.Module):
    """Scores of all pairs: what the critic says, plus the Gaussian ratio where there is one."""

    def __init__(self, critic: nn.Module, gaussian: GaussianRatio | None) -> None:
        super().__init__()
        self.critic = critic
        self.gaussian = gaussian

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """f(x_i, y_j), meant to approach ln p(x, y) − ln p(x) p(y) in nats."""
        scores = self.critic(x, y)
        return scores if self.gaussian is None else scores + self.gaussian(x, y)


@torch.no_grad()
def choose_shrinkage(
    gaussian: GaussianRatio, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
) -> None:
    """Set the shrinkage under which other samples than the fitted ones are most likely.

    The marginals do not depend on it, so the mean log ratio of true pairs ranks the likelihoods.
    """
    gains = []
    for shrinkage in SHRINKAGES:
        gaussian.shrinkage.fill_(shrinkage)
        gains.append(float(gaussian.of_pairs(x, y).mean()))
    gaussian.shrinkage.fill_(SHRINKAGES[gains.index(max(gains))])
