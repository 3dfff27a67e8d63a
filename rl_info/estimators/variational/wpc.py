"""Wasserstein predictive coding (Ozair et al., arXiv 1903.11780)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound
from rl_info.estimators.critics import CRITICS, CriticSize, DistanceCritic
from rl_info.estimators.margins import Margins
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.infonce import infonce_bound, infonce_influence
from rl_info.estimators.variational.ratio_model import RatioModel
from rl_info.estimators.variational.scores import check_scores, without_diagonal

Constraint = Literal["spectral", "penalty"]


def wasserstein_dependency(scores: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E_joint[f] − E_product[f]: for 1-Lipschitz f a lower bound of the Wasserstein dependency.

    Equation 5 of arXiv 1903.11780. In units of the distance under which f is Lipschitz, not nats;
    no bound of mutual information.
    """
    check_scores(scores)
    pairs = scores.shape[0] * (scores.shape[0] - 1)
    return scores.diagonal().mean() - without_diagonal(scores, 0.0).sum() / pairs


def gradient_penalty(
    critic: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
) -> Float[Tensor, ""]:
    """Mean of max(0, ‖∇f‖ − 1)² over true pairs and as many mixed ones.

    The gradient is that of the score of a pair by the pair. One-sided: a slope below 1 is
    Lipschitz too (the penalty of arXiv 1704.00028 pulls it up to 1). Mixed pairs are those of each
    x with the y of the next row.
    """
    left = torch.cat([x, x]).detach().requires_grad_()
    right = torch.cat([y, y.roll(-1, dims=0)]).detach().requires_grad_()
    scores = critic(left, right).diagonal()
    slopes = torch.autograd.grad(scores.sum(), (left, right), create_graph=True)
    norm = torch.cat(slopes, dim=1).norm(dim=1)
    return (norm - 1).clamp_min(0).square().mean()


@dataclass(frozen=True)
class WPCConfig(VariationalConfig):
    """Settings of WPC."""

    constraint: Constraint = "spectral"
    """`spectral`: −‖φ(x) − ψ(y)‖ with spectrally normalised φ, ψ, Lipschitz by construction;
    `penalty`: `critic` with a gradient penalty, as in the paper, Lipschitz only roughly."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    batch_size: int = 128
    """Pairs in each step; distances cost more than products."""
    margins: Margins = "standard"
    """The distance is the Euclidean one of the columns prepared so."""
    baseline: Literal["gaussian", "none"] = "none"
    """Only `none`: a Gaussian ratio is not Lipschitz."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.constraint not in ("spectral", "penalty"):
            raise ValueError(f"constraint must be spectral or penalty, got {self.constraint!r}")
        if self.penalty < 0:
            raise ValueError(f"penalty must not be negative, got {self.penalty}")
        if self.baseline != "none":
            raise ValueError("WPC needs baseline='none': a Gaussian ratio is not Lipschitz")


class WPC(VariationalEstimator):
    """InfoNCE over 1-Lipschitz critics.

    The estimate is `infonce_bound` of such a critic: a lower bound of I(X;Y), at most ln K, and
    loose, for a Lipschitz critic cannot reach steep log ratios. What the constraint buys is not a
    tighter number but a more complete representation: scores cannot saturate once pairs are told
    apart, so that every shared factor goes on being worth learning. Depends on the units of x and
    y where `margins` leaves them.
    """

    bound: ClassVar[Bound] = "lower"
    settings = WPCConfig
    config: WPCConfig

    def critic(self, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The distance critic, or the one of the settings to be penalised."""
        if self.config.constraint == "spectral":
            return DistanceCritic(size, generator)
        return CRITICS[self.config.critic](size, generator)

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> Mapping[str, Tensor]:
        """−InfoNCE, and the gradient penalty if there is one."""
        assert isinstance(model, RatioModel)
        if isinstance(model.critic, DistanceCritic):
            model.critic.refine()
            return {"infonce": -infonce_bound(model(x, y))}
        penalty = gradient_penalty(model, x, y)
        return {"infonce": -infonce_bound(model(x, y)), "penalty": self.config.penalty * penalty}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """InfoNCE of all pairs at once."""
        scores = model(x, y).double()
        return Reading(infonce_bound(scores), infonce_influence(scores))
