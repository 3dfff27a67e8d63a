"""Checks of samples before any estimator sees them."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rl_info.estimators.ties import count_tied

Samples = Tensor | NDArray[np.floating]
"""Samples of one variable: (N,) or (N, D), float32 or float64, tensor or array."""


class EstimatorWarning(UserWarning):
    """An estimate was made and should not be trusted blindly."""


class ConstantColumnWarning(EstimatorWarning):
    """A column of the samples never changes, so it carries no information."""


class TiedSamplesWarning(EstimatorWarning):
    """Equal samples were found where a density assumes none."""


class DiscreteDataWarning(EstimatorWarning):
    """The samples look discrete and the estimator assumes a density."""


class SaturatedWarning(EstimatorWarning):
    """The estimate sits near the ceiling that the number of samples sets, whatever the truth."""


class NotABoundWarning(EstimatorWarning):
    """The estimate is not the bound that its name suggests under these conditions."""


class HeavyTailWarning(EstimatorWarning):
    """A few samples carry the estimate: its standard error is likely too small."""


class LooseBoundWarning(EstimatorWarning):
    """The bound lies far above a tighter one from the same model."""


class IncompleteCorrectionWarning(EstimatorWarning):
    """Bias is corrected by less than the theory asks for: the error may be of either sign."""


class LikelyLowWarning(EstimatorWarning):
    """The truth most likely lies above the estimate, by more than its standard error tells."""


def check_pair(
    x: Samples,
    y: Samples,
    *,
    minimum: int = 2,
    device: torch.device | str = "cpu",
    needs_density: bool = True,
) -> tuple[Tensor, Tensor]:
    """Samples of two variables as tensors (N, X) and (N, Y) of one float type on `device`.

    Warns of constant columns, and with `needs_density` of data that look discrete and of repeated
    pairs. Raises ValueError for shapes other than (N,) or (N, D), different lengths, fewer than
    `minimum` samples, integers, and values that are not finite, naming the first bad row and
    column.
    """
    left, right = as_matrix(x, "x", device), as_matrix(y, "y", device)
    if left.shape[0] != right.shape[0]:
        raise ValueError(
            f"x has {left.shape[0]} samples and y has {right.shape[0]}: row i of both must belong "
            "together"
        )
    if left.shape[0] < minimum:
        raise ValueError(f"{left.shape[0]} samples are too few: at least {minimum} are needed")
    dtype = torch.promote_types(left.dtype, right.dtype)
    for name, matrix in (("x", left), ("y", right)):
        _warn_of_constants(name, matrix)
    left, right = left.to(dtype), right.to(dtype)
    if needs_density:
        discrete = [_warn_of_discrete(name, each) for name, each in (("x", left), ("y", right))]
        if not any(discrete):
            _warn_of_repeats(left, right)
    return left, right


def as_matrix(samples: Samples, name: str, device: torch.device | str = "cpu") -> Tensor:
    """`samples`, called `name` in errors, as a finite float tensor (N, D) on `device`."""
    tensor = torch.as_tensor(samples, device=device)
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"{name} is {str(tensor.dtype).removeprefix('torch.')}; these estimators take float32 "
            "or float64. Labels have no density: rl_info.mutual_information counts them where no "
            "estimator is named, adaptive_binning takes them as floats. Else convert it to float"
        )
    if tensor.ndim == 1:
        tensor = tensor[:, None]
    if tensor.ndim != 2 or tensor.shape[1] == 0:
        raise ValueError(f"{name} has shape {tuple(tensor.shape)}; expected (N,) or (N, D), D ≥ 1")
    bad = ~torch.isfinite(tensor)
    if bad.any():
        row, column = (int(i) for i in bad.nonzero()[0])
        raise ValueError(f"{name}[{row}, {column}] is {tensor[row, column].item()}: not finite")
    return tensor


def _warn_of_constants(name: str, matrix: Tensor) -> None:
    constant = (matrix == matrix[:1]).all(dim=0).nonzero().flatten().tolist()
    if constant:
        warnings.warn(
            f"{name} never changes in column(s) {constant}: remove them",
            ConstantColumnWarning,
            stacklevel=3,
        )


def _warn_of_discrete(name: str, matrix: Tensor) -> bool:
    """Whether few values are distinct among many samples: a density is hardly behind that."""
    samples = matrix.shape[0]
    if samples < 20:
        return False
    for column in range(matrix.shape[1]):
        distinct = torch.unique(matrix[:, column]).numel()
        if 1 < distinct <= samples // 10:
            warnings.warn(
                f"{name} has only {distinct} distinct values in column {column} among {samples} "
                "samples: it looks discrete, and this estimator assumes a density; mixed_ksg does "
                "not",
                DiscreteDataWarning,
                stacklevel=3,
            )
            return True
    return False


def _warn_of_repeats(x: Tensor, y: Tensor) -> None:
    """Equal pairs: chance counted as evidence, and neighbours at distance zero."""
    pairs = count_tied(torch.cat([x, y], dim=1).numpy(force=True))
    if pairs:
        warnings.warn(
            f"{pairs} pairs (x, y) are equal to others, which samples of a density are not: they "
            "count twice as evidence, errors come out too small and neighbours too near. Remove "
            "repeated rows, or use mixed_ksg if values do repeat",
            TiedSamplesWarning,
            stacklevel=3,
        )
