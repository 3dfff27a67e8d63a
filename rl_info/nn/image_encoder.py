"""Convolutional encoder and decoder of small images."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from rl_info.nn.initialisation import fan_in_normal
from rl_info.nn.norm_perceptron import MixedLinear
from rl_info.nn.rms_silu import RMSSiLU

IMAGE_SIZES = (64, 84)
"""Heights and widths in pixels that encoder and decoder know."""
KERNEL, STRIDE, PADDING = 5, 2, 2
MULTIPLES = (2, 3, 4, 4)
"""Channels of the four layers in multiples of the depth, as in DreamerV3."""


class MixedConv(nn.Module):
    """5×5 convolution in the dtype of its input, channels last in memory; float32 parameters."""

    def __init__(
        self, channels_in: int, channels_out: int, stride: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        shape = (channels_out, channels_in, KERNEL, KERNEL)
        weight = fan_in_normal(shape, channels_in * KERNEL**2, generator)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.stride = stride

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O H2 W2"]:
        """Convolve with padding 2."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return conv2d(x, weight, bias, self.stride, PADDING)


def over_channels(norm: nn.Module, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Normalise over the channels of each pixel, which lie side by side in memory."""
    normal: Tensor = norm(x.permute(0, 2, 3, 1))
    return normal.permute(0, 3, 1, 2)


class ImageEncoder(nn.Module):
    """uint8 images to embeddings by four strided convolutions with RMS normalisation and SiLU.

    Channels are 2, 3, 4 and 4 times `depth`; resolution falls 64→4 or 84→6. DreamerV3 convolves
    at full resolution and then takes maxima; striding does a quarter of that arithmetic.

    Raises ValueError for an image size other than 64×64 or 84×84.
    """

    def __init__(
        self, image_size: int, channels: int, depth: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        check_image_size(image_size)
        self.image_size, self.channels = image_size, channels
        outs = [depth * multiple for multiple in MULTIPLES]
        ins = [channels, *outs[:-1]]
        self.convolutions = nn.ModuleList(
            MixedConv(i, o, STRIDE, generator) for i, o in zip(ins, outs, strict=True)
        )
        self.norms = nn.ModuleList(RMSSiLU(width) for width in outs)
        self.output_dim = outs[-1] * resolutions(image_size)[-1] ** 2

    def forward(
        self, images: UInt8[Tensor, "*B H W C"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "*B E"]:
        """Embed images with values 0 to 255, computing in `dtype`; float32 comes out."""
        expected = (self.image_size, self.image_size, self.channels)
        if tuple(images.shape[-3:]) != expected:
            raise ValueError(
                f"this encoder reads images of shape {expected} (height, width, channels), "
                f"got {tuple(images.shape[-3:])}"
            )
        # Rows of (H, W, C) seen as (C, H, W) are channels-last already: no copy.
        x = images.flatten(0, -4).permute(0, 3, 1, 2).to(dtype)
        x = x.mul_(1.0 / 255.0).sub_(0.5)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = over_channels(norm, convolution(x))
        flat = x.permute(0, 2, 3, 1).flatten(1)
        return flat.float().unflatten(0, images.shape[:-3])


class ImageDecoder(nn.Module):
    """Features to images: the encoder's layers in reverse, enlarging by nearest neighbours.

    Raises ValueError for an image size other than 64×64 or 84×84.
    """

    def __init__(
        self,
        feature_dim: int,
        image_size: int,
        channels: int,
        depth: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        check_image_size(image_size)
        self.sides = [image_size, *resolutions(image_size)][::-1]
        widths = [depth * multiple for multiple in reversed(MULTIPLES)]
        self.width = widths[0]
        self.project = MixedLinear(feature_dim, widths[0] * self.sides[0] ** 2, generator)
        self.norms = nn.ModuleList(RMSSiLU(width) for width in widths)
        outs = [*widths[1:], channels]
        self.convolutions = nn.ModuleList(
            MixedConv(i, o, 1, generator) for i, o in zip(widths, outs, strict=True)
        )

    def forward(
        self, feature: Float[Tensor, "*B F"], dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "*B H W C"]:
        """Images with values 0 to 1, computing in `dtype`; float32 comes out."""
        x = self.project(feature.flatten(0, -2).to(dtype))
        side = self.sides[0]
        x = x.view(-1, side, side, self.width).permute(0, 3, 1, 2)
        for convolution, norm, target in zip(
            self.convolutions, self.norms, self.sides[1:], strict=True
        ):
            x = convolution(interpolate(over_channels(norm, x), size=(target, target)))
        image = torch.sigmoid(x.float()).permute(0, 2, 3, 1)
        return image.unflatten(0, feature.shape[:-1])


def check_image_size(image_size: int) -> None:
    """Raise ValueError unless encoder and decoder know images of this side."""
    if image_size not in IMAGE_SIZES:
        known = " or ".join(f"{side}×{side}" for side in IMAGE_SIZES)
        raise ValueError(
            f"images of {image_size}×{image_size} pixels are not supported: render {known}"
        )


def resolutions(image_size: int) -> list[int]:
    """Sides of the feature maps after each of the four layers."""
    sides = []
    for _ in MULTIPLES:
        image_size = (image_size + 2 * PADDING - KERNEL) // STRIDE + 1
        sides.append(image_size)
    return sides
