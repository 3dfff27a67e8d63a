"""Information under a joint Student-t model, fitted by maximum likelihood."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rl_info.distributions.student import tail_information
from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.cca import check_pair_is_tall, gaussian_information_of_covariance
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.student_fit import StudentFit, fit_student

Array = np.ndarray


@dataclass(frozen=True)
class StudentConfig(EstimatorConfig):
    """Settings of the estimator by a Student-t model."""

    groups: int = 20
    """Parts of the samples, each left out once, whose effect gives the standard error."""

    def __post_init__(self) -> None:
        if self.groups < 2:
            raise ValueError(f"groups must be at least 2, got {self.groups}")


class StudentT(Estimator):
    """I of the joint Student-t law that makes the samples most likely, in nats.

    Closed form (Czyż et al. 2023, arXiv 2306.11078, appendix; see `rl_info.distributions.Student`):
    the information of normal variables of the same dispersion, plus what the common tail tells,
    which depends on the degrees of freedom ν and the numbers of columns alone and is positive even
    between uncorrelated columns. Location, dispersion and ν are fitted by `fit_student`. Consistent
    and efficient where (x, y) is jointly Student-t, of any ν and with normal samples as the limit;
    elsewhere it is the information of the wrong law, on no side of the truth. Biased upwards by
    about XY/(2N), as canonical correlations are. Invariant to invertible affine maps of x and of y.

    The standard error is the jackknife's over `groups` parts of the samples. Computes in float64 on
    the CPU.
    """

    config: StudentConfig

    def __init__(
        self,
        config: StudentConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or StudentConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError, also for fewer than X + Y + 2 of them."""
        left, right = check_pair(x, y, device=self.device)
        check_pair_is_tall(left, right)
        return left, right

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) from samples (N, X) and (N, Y).

        Raises ValueError for unusable samples, fewer than X + Y + 2 of them, and columns that are
        linear functions of others, where a dispersion cannot be inverted.
        """
        left, right = (moving(part) for part in self.check(x, y))
        if not (left.shape[1] and right.shape[1]):
            return Estimate(0.0, 0.0, self.bound)
        joint, x_dims = np.hstack([left, right]), left.shape[1]
        whole = fit_student(joint)
        groups = min(self.config.groups, len(joint) // (joint.shape[1] + 2))
        part = np.arange(len(joint)) % max(groups, 2)
        without = [
            information(fit_student(joint[part != group], start=whole), x_dims)
            for group in range(max(groups, 2))
        ]
        spread = float(np.var(without)) * (len(without) - 1)
        return Estimate(information(whole, x_dims), math.sqrt(spread), self.bound)


def moving(samples: Tensor) -> Array:
    """The columns that change, as an array in float64."""
    values = samples.double().numpy(force=True)
    return np.asarray(values[:, (values != values[:1]).any(axis=0)])


def information(fit: StudentFit, x_dims: int) -> float:
    """I in nats between the first `x_dims` variables of a Student-t law and the rest."""
    normal = gaussian_information_of_covariance(torch.from_numpy(fit.dispersion), x_dims).item()
    y_dims = len(fit.location) - x_dims
    return normal + tail_information(x_dims, y_dims, fit.degrees_of_freedom)
