"""Conditional and multivariate information as sums of pairs, by any estimator (chain rule)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate, Estimator
from rl_info.estimators.inputs import Samples, as_matrix
from rl_info.estimators.registry import build_estimator

Build = str | Callable[[], Estimator]
"""A registered name, or what builds a fresh estimator: terms differ in shape, so none is shared."""


def conditional_information(
    x: Samples, y: Samples, given: Samples, estimator: Build = "ksg", **settings: Any
) -> Estimate:
    """I(X;Y|Z) = I(X; Y,Z) − I(X; Z) in nats from samples (N, X), (N, Y) and (N, Z).

    `settings` go to `build_estimator`, such as `seed` or fields of its config. On no side of the
    truth, whatever the estimator: a difference of bounds bounds nothing, and biases cancel only in
    part, the first term having more dimensions. `std_error` adds the variances of both as if they
    were independent, which is too much for terms from the same samples.
    Raises ValueError for samples that the estimator refuses, and for different lengths.
    """
    build = _builder(estimator, settings)
    first, second, condition = _matrices(("x", x), ("y", y), ("given", given))
    whole = build().fit_estimate(first, torch.cat([second, condition], dim=1))
    return _total([whole, build().fit_estimate(first, condition)], [1.0, -1.0], "none")


def total_correlation(*variables: Samples, estimator: Build = "ksg", **settings: Any) -> Estimate:
    """Σ_i h(X_i) − h(X_1 … X_m) = Σ_{i>1} I(X_i; X_1 … X_{i−1}) in nats (Watanabe 1960).

    `settings` go to `build_estimator`. A sum of lower bounds is one; upper likewise. `std_error`
    adds the variances of the terms as if they were independent. Raises ValueError for fewer than
    two variables and for samples that the estimator refuses.
    """
    build = _builder(estimator, settings)
    matrices = _several(variables)
    terms = [
        build().fit_estimate(matrices[index], torch.cat(matrices[:index], dim=1))
        for index in range(1, len(matrices))
    ]
    return _total(terms, [1.0] * len(terms), terms[0].bound)


def dual_total_correlation(
    *variables: Samples, estimator: Build = "ksg", **settings: Any
) -> Estimate:
    """h(X_1 … X_m) − Σ_i h(X_i | all others) = Σ_i I(X_i; all others) − total correlation.

    In nats (Han 1975). `settings` go to `build_estimator`. On no side of the truth; `std_error`
    adds the variances of the 2m − 1 terms as if they were independent, which is too much. Raises as
    `total_correlation` does.
    """
    build = _builder(estimator, settings)
    matrices = _several(variables)
    terms = [
        build().fit_estimate(matrix, torch.cat([*matrices[:index], *matrices[index + 1 :]], dim=1))
        for index, matrix in enumerate(matrices)
    ]
    total = total_correlation(*matrices, estimator=build)
    return _total([*terms, total], [*[1.0] * len(terms), -1.0], "none")


def _builder(estimator: Build, settings: dict[str, Any]) -> Callable[[], Estimator]:
    if isinstance(estimator, str):
        return partial(build_estimator, estimator, **settings)
    if settings:
        raise TypeError("settings go with a registered name; give them to what builds it")
    return estimator


def _several(variables: Sequence[Samples]) -> list[Tensor]:
    if len(variables) < 2:
        raise ValueError(f"total correlation needs two variables or more, got {len(variables)}")
    return _matrices(*((f"variable {index}", each) for index, each in enumerate(variables)))


def _matrices(*named: tuple[str, Samples]) -> list[Tensor]:
    """Samples as matrices of one dtype and one length."""
    matrices = [as_matrix(samples, name) for name, samples in named]
    lengths = {len(matrix) for matrix in matrices}
    if len(lengths) > 1:
        raise ValueError(
            "row i of all variables must belong together, but their lengths differ: "
            + ", ".join(f"{name} {len(m)}" for (name, _), m in zip(named, matrices, strict=True))
        )
    wide = any(matrix.dtype == torch.float64 for matrix in matrices)
    return [matrix.to(torch.float64 if wide else torch.float32) for matrix in matrices]


def _total(terms: Sequence[Estimate], signs: Sequence[float], bound: Bound) -> Estimate:
    value = sum(sign * term.value for sign, term in zip(signs, terms, strict=True))
    return Estimate(value, math.hypot(*(term.std_error for term in terms)), bound)
