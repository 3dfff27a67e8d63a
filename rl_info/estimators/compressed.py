"""Compress x and y, then count neighbours (Butakov et al., ICLR 2024, arXiv 2305.08013)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from rl_info.estimators.base import Bound, Estimate, Estimator, EstimatorConfig
from rl_info.estimators.compressors import COMPRESSORS, Compression, CompressorSettings
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.ksg import local_information
from rl_info.estimators.local import estimate_of, prepare
from rl_info.estimators.margins import StandardScores
from rl_info.estimators.neighbours.ties import warn_of_ties


@dataclass(frozen=True)
class CompressedConfig(EstimatorConfig):
    """Settings of compress-then-neighbours."""

    compression: Compression = "pca"
    """How x and y are compressed; the paper uses autoencoders."""
    dims: int = 4
    """Columns left of x and of y; a variable with no more is only standardised."""
    k: int = 3
    """Neighbours that KSG takes."""
    steps: int = 2000
    """Optimiser steps of an autoencoder."""
    batch_size: int = 256
    """Samples in each step."""
    hidden_dim: int = 128
    """Units of each hidden layer of an autoencoder."""
    learning_rate: float = 1e-3
    """Adam's step size at the start; it falls to zero along half a cosine."""
    threads: int | None = None
    """Threads of the neighbour search; None: NUMBA_NUM_THREADS, else one per core."""

    def __post_init__(self) -> None:
        if self.compression not in COMPRESSORS:
            raise ValueError(
                f"compression must be one of {', '.join(COMPRESSORS)}, got {self.compression!r}"
            )
        for name in ("dims", "k", "steps", "batch_size", "hidden_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")


class Compressed(Estimator):
    """I(f(X); g(Y)) by KSG, with f and g learned to lose little of X and of Y.

    Never above I(X;Y) in expectation, by the data-processing inequality and but for the bias of KSG
    in `dims` + `dims` dimensions. Equal to it if f and g lose nothing, and near it where samples
    lie near a surface of few dimensions; where information sits in directions of little variance,
    compression loses it without a sign. f and g see x and y apart, never as pairs, so that they
    cannot fit chance dependence. The paper reads the codes with the weighted Kozachenko–Leonenko
    estimate; KSG, whose biases cancel, is read here.

    `std_error` is that of the mean of KSG's local terms, with f and g held fixed. Codes are learned
    on `device`, neighbours counted on the CPU in float64. Warns of equal samples
    (`TiedSamplesWarning`). Raises ValueError for fewer than k + 1 samples or other columns than
    were fitted, RuntimeError if not fitted.
    """

    bound: ClassVar[Bound] = "lower"
    learns: ClassVar[bool] = True
    config: CompressedConfig

    def __init__(
        self,
        config: CompressedConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or CompressedConfig(), seed=seed, device=device)
        self._widths: tuple[int, ...] = ()
        self._codes: tuple[nn.Module, ...] = ()

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors; at least k + 1 of them."""
        return check_pair(x, y, minimum=self.config.k + 1, device=self.device)

    def fit(self, x: Samples, y: Samples) -> Compressed:
        """Learn both codes from samples (N, X) and (N, Y), float32 or float64."""
        samples = self.check(x, y)
        generator = torch.Generator().manual_seed(self.seed)
        settings = self.config
        learned_with = CompressorSettings(
            settings.dims,
            settings.steps,
            settings.batch_size,
            settings.hidden_dim,
            settings.learning_rate,
        )
        compress = COMPRESSORS[settings.compression]
        self._codes = tuple(
            compress(each, learned_with, generator)
            if each.shape[1] > settings.dims
            else StandardScores(each)
            for each in samples
        )
        self._widths = tuple(each.shape[1] for each in samples)
        return self

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y), float32 or float64."""
        left, right = self.check(x, y)
        if not self._codes:
            raise RuntimeError("fit the estimator before it is asked, or call fit_estimate")
        widths = (left.shape[1], right.shape[1])
        if widths != self._widths:
            raise ValueError(f"fitted on samples with {self._widths} columns, asked about {widths}")
        warn_of_ties(left.numpy(force=True), right.numpy(force=True))
        code_x, code_y = self._codes
        terms = local_information(
            prepare(code_x(left), "standard"),
            prepare(code_y(right), "standard"),
            self.config.k,
            "euclidean",
            self.config.threads,
        )
        return estimate_of(terms, self.bound)
