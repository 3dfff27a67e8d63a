"""The tasks whose truths are published, by name (Czyż et al. 2023, arXiv 2306.11078)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import torch

from rl_info.distributions.base import JointDistribution
from rl_info.distributions.covariances import dense, equal_pairs, paired, two_pairs
from rl_info.distributions.embeddings import spiral, swiss_roll
from rl_info.distributions.normal import Normal
from rl_info.distributions.student import Student
from rl_info.distributions.task import Task
from rl_info.distributions.transformed import Transformed
from rl_info.distributions.transforms import (
    asinh,
    bimodal,
    half_cube,
    identity,
    normal_cdf,
    wiggly,
)
from rl_info.distributions.uniform import AdditiveUniform


def correlated_normal(dims: int, information: float) -> Task:
    """`dims` equally correlated pairs of normals that together carry `information` nats."""
    name = f"normal-{information:g}-nats-{dims}x{dims}"
    return Task(name, Normal(equal_pairs(dims, information), dims))


def _pair() -> Normal:
    return Normal(paired(1, 1, [0.75]), 1)


def _student(dims: int, degrees_of_freedom: float) -> Student:
    return Student(torch.eye(2 * dims, dtype=torch.float64), dims, degrees_of_freedom)


def _one_dimensional() -> Iterator[tuple[str, JointDistribution]]:
    yield "normal-1x1", _pair()
    for name, transform in (
        ("normal-cdf-1x1", normal_cdf),
        ("half-cube-1x1", half_cube),
        ("asinh-normal-1x1", asinh),
        ("wiggly-1x1", wiggly),
        ("bimodal-1x1", bimodal),
    ):
        yield name, Transformed(_pair(), transform, transform)
    uniform = Transformed(_pair(), normal_cdf, normal_cdf)
    yield "swiss-roll-2x1", Transformed(uniform, swiss_roll, identity)
    for noise in (0.1, 0.75):
        yield f"uniform-{noise:g}-1x1", AdditiveUniform(noise)


def _students() -> Iterator[tuple[str, JointDistribution]]:
    for freedom, dims in ((1.0, 1), (1.0, 2), (2.0, 2), (2.0, 3), (2.0, 5), (3.0, 3), (3.0, 5)):
        yield f"student-{freedom:g}-{dims}x{dims}", _student(dims, freedom)
    for freedom, dims in ((1.0, 1), (2.0, 3), (2.0, 5), (3.0, 5)):
        through = Transformed(_student(dims, freedom), asinh, asinh)
        yield f"asinh-student-{freedom:g}-{dims}x{dims}", through


def _many_dimensional() -> Iterator[tuple[str, JointDistribution]]:
    for dims in (2, 3, 5, 25, 50):
        yield f"normal-dense-{dims}x{dims}", Normal(dense(dims, dims), dims)
    for dims in (2, 3, 5, 25):
        sparse = Normal(two_pairs(dims, dims), dims)
        yield f"normal-2pair-{dims}x{dims}", sparse
        if dims in (3, 5, 25):
            yield f"half-cube-2pair-{dims}x{dims}", Transformed(sparse, half_cube, half_cube)
            turned = Transformed(Transformed(sparse, normal_cdf, normal_cdf), spiral, spiral)
            yield f"spiral-cdf-2pair-{dims}x{dims}", turned
            yield f"spiral-2pair-{dims}x{dims}", Transformed(sparse, spiral, spiral)


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        name: Task(name, distribution)
        for group in (_one_dimensional, _students, _many_dimensional)
        for name, distribution in group()
    }
)
"""Every published task by name."""
