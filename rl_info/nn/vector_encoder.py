"""Encoder of observations that are vectors."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.norm_perceptron import MixedLinear
from rl_info.nn.rms_silu import RMSSiLU
from rl_info.nn.symlog import symlog


class VectorEncoder(nn.Module):
    """symlog, then `layers` of affine map, RMS normalisation and SiLU, `units` wide."""

    def __init__(
        self, obs_dim: int, units: int, generator: torch.Generator, layers: int = 3
    ) -> None:
        super().__init__()
        widths = [obs_dim, *[units] * layers]
        parts: list[nn.Module] = []
        for index in range(layers):
            parts += [MixedLinear(widths[index], widths[index + 1], generator), RMSSiLU(units)]
        self.layers = nn.Sequential(*parts)
        self.output_dim = units

    def forward(
        self, obs: Float[Tensor, "*B O"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "*B E"]:
        """Embed observations, computing in `dtype`; float32 comes out."""
        out: Tensor = self.layers(symlog(obs).to(dtype))
        return out.float()
