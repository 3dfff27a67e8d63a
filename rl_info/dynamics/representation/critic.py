"""The bilinear critic between observations and latents, and bounds of information it gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import rms_norm

from rl_info.estimators.variational.infonce import infonce_bound
from rl_info.estimators.variational.nwj import nwj_bound
from rl_info.nn.norm_perceptron import MixedLinear

InformationBound = Callable[[Tensor], Tensor]
"""From scores (N, N) that approach the log density ratio to a lower bound in nats."""


def nwj_information(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    """E_joint[f] − E_{p⊗p}[e^f] + 1, the bound of NWJ for f = log ratio, in nats.

    The second mean is over pairs (o_i, z_j), i ≠ j, of the whole batch and all of time: under the
    product of the marginals. InfoPower (arXiv 2204.08585) prints it under the joint, where it
    bounds nothing.
    """
    return nwj_bound(scores + 1)


def nce_information(scores: Float[Tensor, "N N"]) -> Float[Tensor, ""]:
    """ln N minus the cross-entropy of finding z_i for o_i among all steps of all sequences."""
    return infonce_bound(scores)


BOUNDS: Mapping[str, InformationBound] = MappingProxyType(
    {"nwj": nwj_information, "nce": nce_information}
)
"""Lower bounds of I(o;z) by name."""


class BilinearCritic(nn.Module):
    """Scores x_iᵀ W y_j / √d of all pairs, x and y projected to d numbers of mean square 1.

    Normalised, since e^f of an unbounded score would drown a batch in one pair: at the start
    |f| ≤ √d.
    """

    def __init__(self, width_x: int, width_y: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project_x = MixedLinear(width_x, width, generator)
        self.project_y = MixedLinear(width_y, width, generator)
        self.bilinear = nn.Parameter(torch.eye(width))
        self.width = width

    def forward(
        self,
        x: Float[Tensor, "N X"],
        y: Float[Tensor, "M Y"],
        dtype: torch.dtype = torch.float32,
    ) -> Float[Tensor, "N M"]:
        """Scores of all pairs, float32."""
        left = rms_norm(self.project_x(x.to(dtype)).float(), (self.width,))
        right = rms_norm(self.project_y(y.to(dtype)).float(), (self.width,))
        return left @ self.bilinear @ right.T / math.sqrt(self.width)
