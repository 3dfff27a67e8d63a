"""Information that survives n steps of linear latent dynamics with normal noise."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def koopman_information(
    operator: Float[Tensor, "D D"],
    covariance: Float[Tensor, "D D"],
    noise: Float[Tensor, "D D"],
    steps: int = 1,
) -> Float[Tensor, ""]:
    """I(z_{t−n}; z_t) of z_{t+1} = K z_t + ε in nats, n = `steps`, differentiable.

    ½ ln det(I + M^{−½} Kⁿ C (Kⁿ)ᵀ M^{−½}) with M = Σ_{i<n} Kⁱ Σ (Kⁱ)ᵀ (arXiv 2510.13025), where
    C is the `covariance` of z_{t−n} and Σ that of the `noise`. Exact where z_{t−n} and ε are
    normal; for other latents it is the information of the normal law with their covariances. An
    action that is known throughout shifts means only and changes nothing. Raises ValueError unless
    steps ≥ 1 and M is positive definite: where a direction is never noisy, information is infinite.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    noise_in_z = accumulated_noise(operator, noise, steps)
    factor, failed = torch.linalg.cholesky_ex(noise_in_z)
    if failed:
        raise ValueError(
            "the noise accumulated over the steps is not positive definite: some direction of z_t "
            "is noiseless and its information infinite. Add noise to every direction"
        )
    power = torch.linalg.matrix_power(operator, steps)
    whitened = torch.linalg.solve_triangular(factor, power, upper=False)
    signal = whitened @ covariance @ whitened.T
    identity = torch.eye(signal.shape[0], dtype=signal.dtype, device=signal.device)
    # Symmetric up to rounding only, and Cholesky reads one triangle.
    total = identity + (signal + signal.T) / 2
    return torch.linalg.cholesky(total).diagonal().log().sum()


def accumulated_noise(
    operator: Float[Tensor, "D D"], noise: Float[Tensor, "D D"], steps: int
) -> Float[Tensor, "D D"]:
    """M = Σ_{i<n} Kⁱ Σ (Kⁱ)ᵀ: covariance of what `steps` steps of noise add to z."""
    total = noise
    for _ in range(steps - 1):
        total = noise + operator @ total @ operator.T
    return (total + total.T) / 2
