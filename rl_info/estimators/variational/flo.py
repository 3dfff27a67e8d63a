"""FLO: Fenchel–Legendre optimisation (Guo et al., arXiv 2107.01131)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Bound
from rl_info.estimators.critics import CriticSize
from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.nwj import read_log_ratio
from rl_info.estimators.variational.ratio_model import RatioModel
from rl_info.estimators.variational.scores import check_scores, log_mean_negatives_of_rows
from rl_info.nn.perceptron import perceptron


def flo_bound(scores: Float[Tensor, "B B"], u: Float[Tensor, B]) -> Float[Tensor, ""]:
    """1 − E[u(x, y) + e^(−u(x, y) + g(x, y') − g(x, y))], with y' from the marginal; in nats.

    Definition 2.1 of arXiv 2107.01131; g(x_i, y_j) are the scores, u(x_i, y_i) is given for the
    true pairs. A lower bound of I(X;Y), unbiased for each g and u, tight at u = −ln density ratio
    and g = ln density ratio + any function of x. Each u linearises the logarithm of one row, so
    no bias comes from small batches; where a true pair's ratio is small, the exponential is large.
    """
    check_scores(scores)
    contrast = log_mean_negatives_of_rows(scores) - scores.diagonal()
    return 1 - (u + (contrast - u).exp()).mean()


@dataclass(frozen=True)
class FLOConfig(VariationalConfig):
    """Settings of FLO."""


class FLOModel(nn.Module):
    """Scores of all pairs and u of the true ones, a perceptron of [x, y].

    u starts at minus the Gaussian ratio where there is one, else at 0.
    """

    def __init__(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> None:
        super().__init__()
        self.ratio = ratio
        width = size.width_x + size.width_y
        shape = (size.hidden_dim, size.hidden_layers, 1)
        self.u = perceptron(width, *shape, generator, output_gain=0.0)

    def forward(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> tuple[Float[Tensor, "N N"], Float[Tensor, N]]:
        """Scores and u(x_i, y_i)."""
        u = self.u(torch.cat([x, y], dim=1)).squeeze(-1)
        gaussian = self.ratio.gaussian
        return self.ratio(x, y), u if gaussian is None else u - gaussian.of_pairs(x, y)


class FLO(VariationalEstimator):
    """A critic g and a second one, u, trained and read by `flo_bound`."""

    bound: ClassVar[Bound] = "lower"
    settings = FLOConfig

    def build(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The critic with u beside it."""
        return FLOModel(ratio, size, generator)

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−FLO."""
        return {"flo": -flo_bound(*model(x, y))}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """FLO of all pairs."""
        scores, u = (part.double() for part in model(x, y))
        # With g(x, y) + u(x, y) taken from every row, FLO has the form of NWJ.
        return read_log_ratio(scores - (scores.diagonal() + u)[:, None])
