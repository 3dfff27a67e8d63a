"""The information plane: what each layer keeps of the input and of the target over training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rl_info.estimators.adaptive_binning import adaptive_labels, binned_labels
from rl_info.estimators.adaptive_kde import NoiseScale, log_mixture_density, noise_variance
from rl_info.estimators.plug_in import discrete_entropy, discrete_information

LayerMeasure = Callable[[Float[Tensor, "N D"], Int64[Tensor, "N"]], tuple[float, float]]
"""I(X;T) and I(T;Y) in nats, from the activations T of N inputs and their targets Y."""


@dataclass(frozen=True)
class FixedBinning:
    """Bins with the same edges for every neuron, layer and checkpoint (arXiv 1703.00810).

    I(X;T) = H(T) of the binned layer T, as the network is deterministic. For bounded activations:
    compression seen with it for tanh comes from saturation (Saxe et al., ICLR 2018), and values
    beyond the edges share the outer bins. At most ln N.
    """

    edges: tuple[float, ...]
    """Inner edges in rising order; k of them make k + 1 bins."""

    def __post_init__(self) -> None:
        if not self.edges or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError(f"edges must rise and be at least one, got {self.edges}")

    def __call__(
        self, activations: Float[Tensor, "N D"], target: Int64[Tensor, "N"]
    ) -> tuple[float, float]:
        """I(X;T) and I(T;Y) in nats."""
        return _of_labels(binned_labels(activations, activations.new_tensor(self.edges)), target)


@dataclass(frozen=True)
class AdaptiveLayerBinning:
    """EBAB (arXiv 1902.09037): bins with equally many distinct values of the layer each.

    The edges are found anew for every layer and checkpoint, so that growing activations do not
    leave the bins. I(X;T) = H(T), at most ln N.
    """

    bins: int = 30
    """Bins, shared by the neurons of the layer."""

    def __post_init__(self) -> None:
        if self.bins < 2:
            raise ValueError(f"bins must be at least 2, got {self.bins}")

    def __call__(
        self, activations: Float[Tensor, "N D"], target: Int64[Tensor, "N"]
    ) -> tuple[float, float]:
        """I(X;T) and I(T;Y) in nats."""
        return _of_labels(adaptive_labels(activations, self.bins), target)


@dataclass(frozen=True)
class AdaptiveLayerKDE:
    """aKDE (arXiv 1902.09037): normal noise in proportion to the layer's largest activation.

    I(X;T + ε) lies below the Kullback–Leibler value and above the Bhattacharyya value of pairwise
    distances (arXiv 1706.02419), for the given samples as the law of X. I(T + ε;Y) is a difference
    of two such values and no bound.
    """

    noise: float = 1e-3
    """Size of the noise for each unit of the largest absolute activation."""
    scales: NoiseScale = "variance"
    """Whether that size is the noise's variance (the paper) or its standard deviation."""
    upper: bool = True
    """The upper value of I(X;T + ε), or the lower."""

    def __post_init__(self) -> None:
        if not self.noise > 0:
            raise ValueError(f"noise must be > 0, got {self.noise}")

    def __call__(
        self, activations: Float[Tensor, "N D"], target: Int64[Tensor, "N"]
    ) -> tuple[float, float]:
        """I(X;T + ε) and I(T + ε;Y) in nats."""
        variance = noise_variance(activations, self.noise, self.scales)
        # Distances over 2σ bound the entropy of the mixture from below, over σ from above.
        scaled = activations.double() / ((1 if self.upper else 2) * (variance**0.5 or 1.0))
        everywhere = log_mixture_density(scaled)
        within = torch.empty_like(everywhere)
        for label in torch.unique(target):
            inside = target == label
            within[inside] = log_mixture_density(scaled[inside])
        return -everywhere.mean().item(), (within - everywhere).mean().item()


@dataclass(frozen=True)
class InformationPlane:
    """Information of L layers at E checkpoints, in nats."""

    input_information: Float[Tensor, "E L"]
    """I(X;T)."""
    target_information: Float[Tensor, "E L"]
    """I(T;Y)."""

    def compression(self) -> Float[Tensor, "L"]:
        """How far I(X;T) of each layer ends below its highest value, in nats."""
        return self.input_information.amax(dim=0) - self.input_information[-1]


def information_plane(
    activations: Sequence[Sequence[Tensor]],
    target: Tensor,
    measure: LayerMeasure,
) -> InformationPlane:
    """Place every layer at every checkpoint in the information plane, by `measure`.

    `activations[e][l]` are the outputs (N, …) of layer l at checkpoint e for the same N distinct
    inputs in the same order; `target` (N,) are integers, as no density enters. A continuous target
    must be binned first, for instance with `adaptive_labels`. The network is deterministic, where
    the true I(X;T) is infinite or constant: what is measured is what survives the bins or the
    noise, so compare only what the same `measure` gave (Goldfeld et al., arXiv 1810.05728).

    Raises ValueError for a target that is not integers, layers whose number or samples differ, and
    values that are not finite, naming checkpoint and layer.
    """
    labels = _integers(target)
    if not activations or not activations[0]:
        raise ValueError("there are no activations: give at least one checkpoint with one layer")
    layers = len(activations[0])
    points = torch.zeros(2, len(activations), layers, dtype=torch.float64)
    for checkpoint, outputs in enumerate(activations):
        if len(outputs) != layers:
            raise ValueError(
                f"checkpoint {checkpoint} has {len(outputs)} layers and the first has {layers}"
            )
        for layer, output in enumerate(outputs):
            where = f"checkpoint {checkpoint}, layer {layer}"
            matrix = _matrix(output, labels.shape[0], where)
            points[:, checkpoint, layer] = torch.tensor(
                measure(matrix, labels.to(matrix.device)), dtype=torch.float64
            )
    return InformationPlane(points[0], points[1])


def _of_labels(binned: Int64[Tensor, "N"], target: Int64[Tensor, "N"]) -> tuple[float, float]:
    return discrete_entropy(binned), discrete_information(binned, target).value


def _integers(target: Tensor) -> Int64[Tensor, "N"]:
    if target.ndim != 1 or target.is_floating_point() or target.is_complex():
        raise ValueError(
            f"the target has shape {tuple(target.shape)} and type {target.dtype}; expected "
            "integers (N,). Bin a continuous target first, for instance with adaptive_labels"
        )
    return target.long()


def _matrix(output: Tensor, samples: int, where: str) -> Float[Tensor, "N D"]:
    """Activations as a checked matrix, neurons flattened."""
    if output.ndim == 0 or output.shape[0] != samples or not output.is_floating_point():
        raise ValueError(
            f"{where}: shape {tuple(output.shape)} and type {output.dtype}; expected floats of "
            f"{samples} samples, as many as targets"
        )
    if not torch.isfinite(output).all():
        raise ValueError(f"{where}: activations are not finite")
    return output.detach().reshape(samples, -1)
