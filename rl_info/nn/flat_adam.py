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
    ) -> None:
        if learning_rate <= 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(
                f"Adam needs a positive learning rate and betas in [0, 1), "
                f"got {learning_rate} and {betas}"
            )
        self.parameter = parameter
        self.learning_rate = learning_rate
        self.betas = betas
        self.epsilon = epsilon
        self.steps = 0
        self.first_moment = torch.zeros_like(parameter.detach())
        self.second_moment = torch.zeros_like(parameter.detach())

    def step(
        self,
        gradient: Float[Tensor, "*S"],
        target: Float[Tensor, "*S"] | None = None,
        tau: float = 0.0,
    ) -> None:
        """Descend along `gradient`; then move `target` by the share `tau` to the new parameter."""
        self.steps += 1
        if self.parameter.device.type == "cpu":
            self.step_by_pass(gradient, target, tau)
        else:
            self.step_by_tensors(gradient, target, tau)

    def step_by_pass(
        self, gradient: Float[Tensor, "*S"], target: Float[Tensor, "*S"] | None, tau: float
    ) -> None:
        """The step as one pass over the memory of the CPU, `steps` having been counted."""
        rate, root = self._corrections()
        factors = np.array([*self.betas, rate, root, self.epsilon, tau], dtype=np.float32)
        buffers = [self.parameter, gradient, self.first_moment, self.second_moment]
        arrays = [buffer.detach().reshape(-1).numpy() for buffer in buffers]
        if target is None:
            _adam(*arrays, factors)
        else:
            _adam_and_follow(*arrays, target.detach().reshape(-1).numpy(), factors)

    @torch.no_grad()
    def step_by_tensors(
        self, gradient: Float[Tensor, "*S"], target: Float[Tensor, "*S"] | None, tau: float
    ) -> None:
        """The step as tensor operations on any device, `steps` having been counted."""
        rate, root = self._corrections()
        self.first_moment.lerp_(gradient, 1.0 - self.betas[0])
        self.second_moment.mul_(self.betas[1])
        self.second_moment.addcmul_(gradient, gradient, value=1.0 - self.betas[1])
        deviation = self.second_moment.sqrt().mul_(root).add_(self.epsilon)
        self.parameter.addcdiv_(self.first_moment, deviation, value=-rate)
        if target is not None:
            target.lerp_(self.parameter, tau)

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
    """Compile a loop over elements, each computed alone, for vectors of any width.

    numpy's rules for division and contraction to fused multiply-add make that possible.
    """
    # The shape checks of the tests wrap every function in one that cannot be compiled.
    plain = inspect.unwrap(function)
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(plain)


@_compile
def _adam(value: Any, gradient: Any, first: Any, second: Any, factors: Any) -> None:
    beta1, beta2, rate, root, epsilon, _ = factors
    for i in range(value.shape[0]):
        slope = gradient[i]
        mean = beta1 * first[i] + (np.float32(1) - beta1) * slope
        square = beta2 * second[i] + (np.float32(1) - beta2) * slope * slope
        first[i] = mean
        second[i] = square
        value[i] -= rate * mean / (np.sqrt(square) * root + epsilon)


@_compile
def _adam_and_follow(
    value: Any, gradient: Any, first: Any, second: Any, target: Any, factors: Any
) -> None:
    beta1, beta2, rate, root, epsilon, tau = factors
    for i in range(value.shape[0]):
        slope = gradient[i]
        mean = beta1 * first[i] + (np.float32(1) - beta1) * slope
        square = beta2 * second[i] + (np.float32(1) - beta2) * slope * slope
        first[i] = mean
        second[i] = square
        moved = value[i] - rate * mean / (np.sqrt(square) * root + epsilon)
        value[i] = moved
        target[i] += tau * (moved - target[i])
