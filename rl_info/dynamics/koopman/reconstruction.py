"""How much of the observations latents explain."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

from rl_info.nn.symlog import symlog


@runtime_checkable
class Decoder(Protocol):
    """What turns latents into observations: pixels in [0, 1], or symlog of vectors."""

    def __call__(self, z: Float[Tensor, "N D"]) -> Float[Tensor, "N *S"]:
        """Observations of N latents."""
        ...


def decoder_target(
    obs: UInt8[Tensor, "N H W C"] | Float[Tensor, "N O"],
) -> Float[Tensor, "N *S"]:
    """What a decoder should give: pixels in [0, 1], or symlog of vectors."""
    return obs.float() / 255.0 if obs.dtype == torch.uint8 else symlog(obs)


def unexplained_share(
    decoder: Decoder, z: Float[Tensor, "N D"], obs: Shaped[Tensor, "N *S"]
) -> Float[Tensor, ""]:
    """Squared error of decoding over the observations' own variance in the batch.

    0 is exact, 1 what the mean observation explains: of images, what never moves does not count.
    """
    target = decoder_target(obs)
    error = (decoder(z) - target).square().flatten(1).sum(dim=1).mean()
    variance = (target - target.mean(dim=0)).square().flatten(1).sum(dim=1).mean()
    return error / variance.clamp_min(torch.finfo(variance.dtype).eps)
