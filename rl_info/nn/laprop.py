"""LaProp with adaptive gradient clipping: the optimiser of DreamerV3."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer


def _step(value: Any, first: Any, second: Any, gradient: Any, factors: Any) -> None:
    """One step over flat float32 arrays of one length, in one pass."""
    clip, rate, beta1, beta2, root, momentum, epsilon = factors
    one = np.float32(1)
    for i in range(value.shape[0]):
        slope = gradient[i] * clip
        second[i] = beta2 * second[i] + (one - beta2) * slope * slope
        scaled = slope / (np.sqrt(second[i] * root) + epsilon)
        first[i] = beta1 * first[i] + (one - beta1) * rate * scaled
        value[i] -= first[i] * momentum


# numpy's rules for division and fused multiply-add let the loop run on vectors; each element is
# computed alone, so the bits do not depend on their width.
_compiled_step = numba.njit(
    inspect.unwrap(_step), cache=True, nogil=True, error_model="numpy", fastmath={"contract"}
)


class LaProp(Optimizer):
    """LaProp (Ziyin et al., arXiv 2002.04839): momentum of gradients that are already normalised.

    v ← β₂v + (1 − β₂)g²; m ← β₁m + (1 − β₁)·lr·g/(√v̂ + ε); parameter −= m̂, where hats divide by
    1 − βᵗ. Before that each tensor's gradient is scaled so that its norm is at most `clip` times
    that of the tensor, counted as at least `least_norm` (AGC, arXiv 2102.06171, with the norm of
    whole tensors as in DreamerV3), and the rate rises linearly over the first `warm_up` steps.

    On the CPU in float32 a tensor's step is one compiled pass over memory; elsewhere torch's.
    Raises ValueError for a rate, decay or clip out of range.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        learning_rate: float = 4e-5,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-20,
        clip: float = 0.3,
        least_norm: float = 1e-3,
        warm_up: int = 1000,
    ) -> None:
        if not learning_rate > 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(
                f"LaProp needs a positive learning rate and betas in [0, 1), "
                f"got {learning_rate} and {betas}"
            )
        if not clip > 0 or not least_norm > 0 or warm_up < 0:
            raise ValueError(
                f"clip and least_norm must be positive and warm_up not negative, "
                f"got {clip}, {least_norm}, {warm_up}"
            )
        defaults = {
            "lr": learning_rate,
            "betas": betas,
            "epsilon": epsilon,
            "clip": clip,
            "least_norm": least_norm,
            "warm_up": warm_up,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step for every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, group)

    def _step_one(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["first"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
            state["second"] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
        state["step"] += 1
        steps, (beta1, beta2) = state["step"], group["betas"]
        rate = group["lr"] * min(1.0, steps / max(group["warm_up"], 1))
        root, momentum = 1.0 / (1.0 - beta2**steps), 1.0 / (1.0 - beta1**steps)
        gradient = parameter.grad.contiguous()  # type: ignore[union-attr]
        clip = clip_factor(parameter, gradient, group["clip"], group["least_norm"])
        first, second = state["first"], state["second"]
        if parameter.device.type == "cpu" and parameter.dtype == torch.float32:
            numbers = (clip.item(), rate, beta1, beta2, root, momentum, group["epsilon"])
            factors = tuple(np.float32(number) for number in numbers)
            arrays = (parameter, first, second, gradient)
            _compiled_step(*(array.detach().numpy().reshape(-1) for array in arrays), factors)
            return
        slope = gradient * clip
        second.mul_(beta2).addcmul_(slope, slope, value=1.0 - beta2)
        scaled = slope / (second * root).sqrt_().add_(group["epsilon"])
        first.mul_(beta1).add_(scaled, alpha=(1.0 - beta1) * rate)
        parameter.sub_(first, alpha=momentum)


def clip_factor(
    parameter: Float[Tensor, "*S"], gradient: Float[Tensor, "*S"], clip: float, least_norm: float
) -> Float[Tensor, ""]:
    """Factor at most 1 that brings ‖gradient‖ to at most clip · max(‖parameter‖, least_norm)."""
    most = clip * torch.linalg.vector_norm(parameter).clamp_min(least_norm)
    # A gradient of zero needs no clipping, and 0/0 none either.
    return (most / torch.linalg.vector_norm(gradient).clamp_min(1e-30)).clamp_max(1.0)
