"""The sixteen families of joint distributions that MIST learns from (arXiv 2511.18945).

Those of the paper with the paper's ranges: normals (dense, pairwise, two pairs, latent factors),
Student-t (dense, pairwise, two pairs) and additive uniform noise, each seen through some of four
maps of coordinates. Beyond the paper, X and Y may have different numbers of dimensions and the
Student families reach down to one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch

from rl_info.distributions.base import JointDistribution
from rl_info.distributions.covariances import dense, factors
from rl_info.distributions.irrelevant import IrrelevantColumns
from rl_info.distributions.normal import Normal
from rl_info.distributions.student import Student
from rl_info.distributions.transformed import Transform, Transformed
from rl_info.distributions.transforms import asinh, half_cube, identity, wiggly
from rl_info.distributions.uniform import AdditiveUniform

Family = Callable[[int, int, np.random.Generator], JointDistribution]
"""Draws one distribution of X and Y dimensions."""

CORRELATION = (0.0, 0.5)
LOADING = (0.1, 5.0)
DEGREES_OF_FREEDOM = (1.0, 10.0)
NOISE = (0.1, 2.0)


def _dense_matrix(x_dims: int, y_dims: int, random: np.random.Generator) -> torch.Tensor:
    return dense(x_dims, y_dims, random.uniform(*CORRELATION))


def _paired_matrix(
    x_dims: int, y_dims: int, pairs: int, random: np.random.Generator
) -> torch.Tensor:
    loading = random.uniform(*LOADING)
    return factors(
        x_dims, y_dims, pairs, everywhere=0.0, within=0.0, between=loading, alone=loading
    )


def _sparse_matrix(x_dims: int, y_dims: int, random: np.random.Generator) -> torch.Tensor:
    pairs = int(random.integers(1, min(x_dims, y_dims) + 1))
    return _paired_matrix(x_dims, y_dims, pairs, random)


def _two_pair_matrix(x_dims: int, y_dims: int, random: np.random.Generator) -> torch.Tensor:
    return _paired_matrix(x_dims, y_dims, min(2, x_dims, y_dims), random)


def _factor_matrix(x_dims: int, y_dims: int, random: np.random.Generator) -> torch.Tensor:
    return factors(
        x_dims,
        y_dims,
        int(random.integers(1, min(x_dims, y_dims) + 1)),
        everywhere=random.uniform(0.0, 1.0),
        within=random.uniform(0.0, 1.5),
        between=random.uniform(0.1, 3.0),
        alone=random.uniform(0.1, 5.0),
    )


Matrix = Callable[[int, int, np.random.Generator], torch.Tensor]


def normal(matrix: Matrix) -> Family:
    """Normals of a covariance drawn by `matrix`."""
    return lambda x_dims, y_dims, random: Normal(matrix(x_dims, y_dims, random), x_dims)


def student(matrix: Matrix) -> Family:
    """Student-t vectors of a dispersion drawn by `matrix`."""

    def draw(x_dims: int, y_dims: int, random: np.random.Generator) -> JointDistribution:
        freedom = random.uniform(*DEGREES_OF_FREEDOM)
        return Student(matrix(x_dims, y_dims, random), x_dims, freedom)

    return draw


def additive_uniform(x_dims: int, y_dims: int, random: np.random.Generator) -> JointDistribution:
    """Uniform variables with uniform noise added; the side with more dimensions gets idle ones."""
    pairs = min(x_dims, y_dims)
    noise = tuple(float(width) for width in random.uniform(*NOISE, size=pairs))
    base = AdditiveUniform(noise, pairs)
    return base if x_dims == y_dims else IrrelevantColumns(base, x_dims, y_dims)


def through(transform: Transform, family: Family) -> Family:
    """`family`, both sides seen through `transform`."""

    def draw(x_dims: int, y_dims: int, random: np.random.Generator) -> JointDistribution:
        return Transformed(family(x_dims, y_dims, random), transform, transform)

    return draw


BASES: Mapping[str, Family] = MappingProxyType(
    {
        "normal-dense": normal(_dense_matrix),
        "normal-sparse": normal(_sparse_matrix),
        "normal-2pair": normal(_two_pair_matrix),
        "normal-latent": normal(_factor_matrix),
        "student-dense": student(_dense_matrix),
        "student-sparse": student(_sparse_matrix),
        "student-2pair": student(_two_pair_matrix),
        "uniform": additive_uniform,
    }
)
"""The eight untransformed families."""

TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {"base": identity, "half-cube": half_cube, "asinh": asinh, "wiggly": wiggly}
)
"""The four maps."""

EVERY: Mapping[str, Family] = MappingProxyType(
    {
        f"{base}-{name}": through(transform, family)
        for base, family in BASES.items()
        for name, transform in TRANSFORMS.items()
    }
)
"""All thirty-two combinations, half of which are not trained on."""

TRAINING: tuple[str, ...] = (
    "normal-dense-base",
    "normal-dense-half-cube",
    "normal-dense-asinh",
    "normal-sparse-wiggly",
    "normal-sparse-base",
    "normal-latent-wiggly",
    "normal-latent-base",
    "normal-2pair-base",
    "student-dense-base",
    "student-dense-wiggly",
    "student-sparse-half-cube",
    "student-sparse-base",
    "student-sparse-asinh",
    "student-2pair-asinh",
    "student-2pair-half-cube",
    "uniform-wiggly",
)
"""The sixteen that are, as in the paper."""

UNSEEN: tuple[str, ...] = tuple(name for name in EVERY if name not in TRAINING)
"""The combinations that are not."""
