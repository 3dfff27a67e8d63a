"""Adam for a parameter that is one flat buffer, together with what follows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.nn.adam_kernel import adam
from rl_info.nn.flat_gradient import FlatGradient


class FlatAdam:
    """Adam (Kingma and Ba, arXiv 1412.6980) for one parameter of any shape.

    Large networks are bound by memory in their optimiser, so on the CPU the step, the moving
    average of a target network and the rounded copies of both are one compiled pass over the
    buffers. Takes gradients as arguments and leaves `.grad` alone. Raises ValueError for a rate or
    decay out of range.
    """

    def __init__(
        self,
        parameter: nn.Parameter,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        max_norm: float | None = None,
    ) -> None:
        if learning_rate <= 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(
                f"Adam needs a positive learning rate and betas in [0, 1), "
                f"got {learning_rate} and {betas}"
            )
        if max_norm is not None and max_norm <= 0:
            raise ValueError(f"the norm to clip a gradient to must be positive, got {max_norm}")
        self.parameter = parameter
        self.learning_rate = learning_rate
        self.betas = betas
        self.epsilon = epsilon
        self.max_norm = max_norm
        self.steps = 0
        self.first_moment = torch.zeros_like(parameter.detach())
        self.second_moment = torch.zeros_like(parameter.detach())
        self._origin = 0

    def step(
        self,
        gradient: Float[Tensor, "*S"] | FlatGradient,
        target: Float[Tensor, "*S"] | None = None,
        tau: float = 0.0,
        rounded: Float[Tensor, " _R"] | None = None,
        rounded_target: Float[Tensor, " _R"] | None = None,
    ) -> Float[Tensor, ""]:
        """Descend along `gradient`; then move `target` by the share `tau` to the new parameter.

        `rounded` and `rounded_target` receive the leading elements of both in bfloat16; they must
        be as long as the rounded part of the gradient. Returns the norm of the gradient. A larger
        one than `max_norm` is scaled down to it, in place.
        """
        if not isinstance(gradient, FlatGradient):
            gradient = FlatGradient(None, gradient)
        norm = None
        if self.max_norm is not None:
            norm = gradient.norm()
            gradient.scale_((self.max_norm / (norm + 1e-6)).clamp_max(1.0))
        self.steps += 1
        if self.parameter.device.type == "cpu":
            found = self.step_by_pass(gradient, target, tau, rounded, rounded_target)
        else:
            found = self.step_by_tensors(gradient.float(), target, tau)
            for copy, value in ((rounded, self.parameter), (rounded_target, target)):
                if copy is not None and value is not None:
                    copy.copy_(value[: len(copy)])
        return found if norm is None else norm

    def step_by_pass(
        self,
        gradient: FlatGradient,
        target: Float[Tensor, "*S"] | None,
        tau: float,
        rounded: Float[Tensor, " _R"] | None = None,
        rounded_target: Float[Tensor, " _R"] | None = None,
    ) -> Float[Tensor, ""]:
        """The step as one pass over the memory of the CPU, `steps` having been counted."""
        if self._origin != self.parameter.data_ptr():
            self._bind()
        self._factors[:3] = *self._corrections(), tau
        follower = None if target is None else _flat(target)
        slopes = _flat(gradient.rest)
        if gradient.rounded is None:
            squares = adam(*self._arrays, slopes, follower, None, None, self._factors)
            return torch.tensor(squares).sqrt()
        low = [None if each is None else _bits(each) for each in (rounded, rounded_target)]
        split = len(gradient.rounded)
        heads, tails = zip(*((each[:split], each[split:]) for each in self._arrays), strict=True)
        head, tail = (None, None) if follower is None else (follower[:split], follower[split:])
        squares = adam(*heads, _bits(gradient.rounded), head, *low, self._factors)
        squares += adam(*tails, slopes, tail, None, None, self._factors)
        return torch.tensor(squares).sqrt()

    def _bind(self) -> None:
        """Take the memory of the buffers where they are now."""
        buffers = (self.parameter, self.first_moment, self.second_moment)
        self._arrays = [_flat(buffer) for buffer in buffers]
        self._factors = np.array([0.0, 0.0, 0.0, *self.betas, self.epsilon], dtype=np.float32)
        self._origin = self.parameter.data_ptr()

    @torch.no_grad()
    def step_by_tensors(
        self, gradient: Float[Tensor, "*S"], target: Float[Tensor, "*S"] | None, tau: float
    ) -> Float[Tensor, ""]:
        """The step as tensor operations on any device, `steps` having been counted."""
        rate, root = self._corrections()
        self.first_moment.lerp_(gradient, 1.0 - self.betas[0])
        self.second_moment.mul_(self.betas[1])
        self.second_moment.addcmul_(gradient, gradient, value=1.0 - self.betas[1])
        deviation = self.second_moment.sqrt().mul_(root).add_(self.epsilon)
        self.parameter.addcdiv_(self.first_moment, deviation, value=-rate)
        if target is not None:
            target.lerp_(self.parameter, tau)
        return gradient.norm()

    def _corrections(self) -> tuple[float, float]:
        """Step size and factor of the root, corrected for moments that started at zero."""
        mean, square = (1.0 - beta**self.steps for beta in self.betas)
        return self.learning_rate / mean, square**-0.5

    def state_dict(self) -> dict[str, Any]:
        """Number of steps and both moments; the tensors are not copies."""
        return {
            "steps": self.steps,
            "first_moment": self.first_moment,
            "second_moment": self.second_moment,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; raises RuntimeError if shapes differ."""
        self.first_moment.copy_(state["first_moment"])
        self.second_moment.copy_(state["second_moment"])
        self.steps = int(state["steps"])


def _flat(buffer: Tensor) -> Any:
    """The memory of a float32 buffer as a flat array."""
    return buffer.numpy(force=True).reshape(-1)


def _bits(buffer: Tensor) -> Any:
    """The memory of a bfloat16 buffer, a type numpy lacks, as unsigned integers."""
    return buffer.view(torch.uint16).numpy()
