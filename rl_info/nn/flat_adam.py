"""Adam for a parameter that is one flat buffer, together with the average that follows it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn


class FlatAdam:
    """Adam (Kingma and Ba, arXiv 1412.6980) for one parameter of any shape.

    Large networks are bound by memory in their optimiser, so on the CPU the step and the moving
    average of a target network are one compiled pass over the buffers. Takes gradients as arguments
    and leaves `.grad` alone. Raises ValueError for a rate or decay out of range.
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
        self._squares = torch.zeros(())
        self._origin = 0

    def step(
        self,
        gradient: Float[Tensor, "*S"],
        target: Float[Tensor, "*S"] | None = None,
        tau: float = 0.0,
    ) -> Float[Tensor, ""]:
        """Descend along `gradient`; then move `target` by the share `tau` to the new parameter.

        Returns the norm of the gradient. A larger one than `max_norm` is scaled down to it, in
        place.
        """
        norm = None
        if self.max_norm is not None:
            norm = gradient.norm()
            gradient.mul_((self.max_norm / (norm + 1e-6)).clamp_max(1.0))
        self.steps += 1
        on_cpu = self.parameter.device.type == "cpu"
        found = (self.step_by_pass if on_cpu else self.step_by_tensors)(gradient, target, tau)
        return found if norm is None else norm

    def step_by_pass(
        self, gradient: Float[Tensor, "*S"], target: Float[Tensor, "*S"] | None, tau: float
    ) -> Float[Tensor, ""]:
        """The step as one pass over the memory of the CPU, `steps` having been counted."""
        if self._origin != self.parameter.data_ptr():
            self._bind()
        self._factors[:2] = self._corrections()
        slopes = gradient.numpy().reshape(-1)
        if target is None:
            _adam(*self._arrays, slopes, self._factors, self._total)
        else:
            self._factors[2] = tau
            follower = target.numpy(force=True).reshape(-1)
            _adam_and_follow(*self._arrays, follower, slopes, self._factors, self._total)
        return self._squares.sqrt()

    def _bind(self) -> None:
        """Take the memory of the buffers where they are now."""
        buffers = (self.parameter, self.first_moment, self.second_moment)
        self._arrays = [buffer.numpy(force=True).reshape(-1) for buffer in buffers]
        self._factors = np.array([0.0, 0.0, 0.0, *self.betas, self.epsilon], dtype=np.float32)
        self._total = self._squares.numpy().reshape(1)
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


def _compile(function: Callable[..., None]) -> Any:
    """Compile a loop over elements for vectors of any width.

    numpy's rules for division, fused multiply-add and a sum in parts make that possible. Each
    element is computed alone; only the sum of squares depends on the width.
    """
    # The shape checks of the tests wrap every function in one that cannot be compiled.
    plain = inspect.unwrap(function)
    fast = {"contract", "reassoc"}
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fast)(plain)


@_compile
def _adam(
    value: Any, first: Any, second: Any, gradient: Any, factors: Any, sum_of_squares: Any
) -> None:
    rate, root, _, beta1, beta2, epsilon = factors
    total = np.float32(0)
    for i in range(value.shape[0]):
        slope = gradient[i]
        square = slope * slope
        total += square
        first[i] = beta1 * first[i] + (np.float32(1) - beta1) * slope
        second[i] = beta2 * second[i] + (np.float32(1) - beta2) * square
        value[i] -= rate * first[i] / (np.sqrt(second[i]) * root + epsilon)
    sum_of_squares[0] = total


@_compile
def _adam_and_follow(
    value: Any,
    first: Any,
    second: Any,
    target: Any,
    gradient: Any,
    factors: Any,
    sum_of_squares: Any,
) -> None:
    rate, root, tau, beta1, beta2, epsilon = factors
    total = np.float32(0)
    for i in range(value.shape[0]):
        slope = gradient[i]
        square = slope * slope
        total += square
        first[i] = beta1 * first[i] + (np.float32(1) - beta1) * slope
        second[i] = beta2 * second[i] + (np.float32(1) - beta2) * square
        value[i] -= rate * first[i] / (np.sqrt(second[i]) * root + epsilon)
        target[i] += tau * (value[i] - target[i])
    sum_of_squares[0] = total
