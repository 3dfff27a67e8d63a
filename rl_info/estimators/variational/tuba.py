"""TUBA: the tractable unnormalised bound of Barber and Agakov's kind (arXiv 1905.06922)."""

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
from rl_info.estimators.variational.nwj import nwj_bound, read_log_ratio
from rl_info.estimators.variational.offset_model import OffsetModel
from rl_info.estimators.variational.ratio_model import RatioModel


def tuba_bound(scores: Float[Tensor, "B B"], log_offset: Float[Tensor, B]) -> Float[Tensor, ""]:
    """1 + E_joint[f − ln a(x)] − E_product[e^f / a(x)], with ln a(x_i) as `log_offset`; in nats.

    Equation 6 of arXiv 1905.06922 with the roles of x and y exchanged: a lower bound of I(X;Y) for
    any positive a, unbiased for each critic, best at a(x) = E_y[e^f(x, y)]. NWJ is a = e; a
    learned a frees the critic from normalising itself. Variance as NWJ.
    """
    return nwj_bound(scores - log_offset[:, None] + 1)


@dataclass(frozen=True)
class TUBAConfig(VariationalConfig):
    """Settings of TUBA."""


class TUBA(VariationalEstimator):
    """A critic and an offset a(x) trained and read by `tuba_bound`."""

    bound: ClassVar[Bound] = "lower"
    settings = TUBAConfig

    def build(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The critic with the offset beside it."""
        return OffsetModel(ratio, size, generator)

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """−TUBA."""
        return {"tuba": -tuba_bound(*model(x, y))}

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """TUBA of all pairs."""
        scores, log_offset = model(x, y)
        return read_log_ratio(scores.double() - log_offset.double()[:, None])
