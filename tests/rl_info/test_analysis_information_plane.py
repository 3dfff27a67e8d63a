"""The information plane on neurons whose binned entropy is known in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from scipy.stats import norm

from rl_info.analysis import (
    AdaptiveLayerBinning,
    AdaptiveLayerKDE,
    DiffusionSpectralMeasure,
    FixedBinning,
    InformationPlane,
    information_plane,
)

WEIGHTS = (0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
TANH_EDGES = tuple(torch.linspace(-1, 1, 31, dtype=torch.float64)[1:-1].tolist())
RELU_EDGES = tuple((0.25 * torch.arange(1, 1200, dtype=torch.float64)).tolist())


def standard_normal_grid(samples=4000):
    """Points in the middle of equally likely parts of the standard normal law."""
    shares = (torch.arange(samples, dtype=torch.float64) + 0.5) / samples
    return torch.special.ndtri(shares)[:, None]


def neuron(activation):
    """Outputs f(w x) at every weight, as a network of one layer at as many checkpoints."""
    x = standard_normal_grid()
    return [[activation(weight * x)] for weight in WEIGHTS], (x[:, 0] > 0).long()


def entropy(shares):
    return -sum(p * math.log(p) for p in shares if p > 0)


def exact_entropy(edges, weight, inverse):
    """H of the binned f(w x), x standard normal: its edges lie at f⁻¹(edge)/w."""
    at = [0.0, *(norm.cdf(inverse(edge) / weight) for edge in edges), 1.0]
    return entropy([high - low for low, high in pairwise(at)])


def test_a_saturating_neuron_compresses_as_its_closed_form_says():
    activations, target = neuron(torch.tanh)
    plane = information_plane(activations, target, FixedBinning(TANH_EDGES))
    exact = [exact_entropy(TANH_EDGES, weight, math.atanh) for weight in WEIGHTS]
    torch.testing.assert_close(
        plane.input_information[:, 0], torch.tensor(exact, dtype=torch.float64), atol=0.01, rtol=0
    )
    assert plane.compression().item() > 1.5
    assert plane.input_information[-1].item() == pytest.approx(math.log(2), abs=0.2)
    expected = torch.full((len(WEIGHTS),), math.log(2), dtype=torch.float64)
    torch.testing.assert_close(plane.target_information[:, 0], expected, atol=1e-9, rtol=0)


def test_a_rectified_neuron_never_compresses():
    activations, target = neuron(torch.relu)
    plane = information_plane(activations, target, FixedBinning(RELU_EDGES))
    exact = [exact_entropy(RELU_EDGES, weight, float) for weight in WEIGHTS[:-1]]
    measured = plane.input_information[:-1, 0]
    torch.testing.assert_close(
        measured, torch.tensor(exact, dtype=torch.float64), atol=0.02, rtol=0
    )
    assert plane.input_information[:, 0].tolist() == sorted(plane.input_information[:, 0].tolist())
    assert plane.compression().item() == 0


@pytest.mark.parametrize("activation", [torch.tanh, torch.nn.functional.softplus])
def test_adaptive_bins_see_no_compression_in_one_monotone_neuron(activation):
    """Saturation alone loses nothing that bins which follow the activity would not see."""
    activations, target = neuron(activation)
    moderate = activations[:4]
    plane = information_plane(moderate, target, AdaptiveLayerBinning())
    expected = torch.full((4,), math.log(30), dtype=torch.float64)
    torch.testing.assert_close(plane.input_information[:, 0], expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("bins", [10, 30])
def test_adaptive_bins_give_a_rectifier_its_zeros_and_as_many_other_bins(bins):
    activations, target = neuron(torch.relu)
    plane = information_plane(activations, target, AdaptiveLayerBinning(bins))
    # Half of the samples are zero; they share the lowest bin with its other distinct values.
    lowest = 0.5 + 0.5 / bins
    expected = entropy([lowest] + [0.5 / bins] * (bins - 1))
    assert plane.input_information[0].item() == pytest.approx(expected, abs=0.01)
    assert plane.compression().item() == pytest.approx(0, abs=1e-6)


def clustered_layer():
    """Four distant clusters of 25 activations; the target tells pairs of them apart."""
    generator = torch.Generator().manual_seed(0)
    cluster = torch.arange(4).repeat_interleave(25)
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]])
    jitter = 1e-4 * torch.randn(100, 2, generator=generator)
    return (centres[cluster] + jitter).double(), cluster // 2


@pytest.mark.parametrize("upper", [True, False])
def test_noise_between_the_scales_of_clusters_counts_them(upper):
    layer, target = clustered_layer()
    plane = information_plane([[layer]], target, AdaptiveLayerKDE(1e-2, upper=upper))
    assert plane.input_information.item() == pytest.approx(math.log(4), abs=1e-3)
    assert plane.target_information.item() == pytest.approx(math.log(2), abs=1e-3)


def test_values_of_noisy_layers_enclose_the_truth():
    """T of two equally likely points 2a apart, plus normal noise: one integral."""
    for half in (0.3, 1.0, 2.0):
        x = torch.tensor([[-half], [half]], dtype=torch.float64)
        grid = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
        density = sum(torch.exp(-((grid - at) ** 2) / 2) for at in (-half, half))
        density = density / (2 * math.sqrt(2 * math.pi))
        h = torch.trapezoid(torch.special.entr(density), grid).item()
        truth = h - 0.5 * math.log(2 * math.pi * math.e)
        low, high = (
            AdaptiveLayerKDE(1 / half, "deviation", upper)(x, torch.tensor([0, 1]))[0]
            for upper in (False, True)
        )
        assert 0 < low < truth < high < math.log(2)


def test_spectral_measure_places_layers_too():
    layer, target = clustered_layer()
    plane = information_plane([[layer]], target, DiffusionSpectralMeasure(bandwidth=0.5))
    assert plane.input_information.item() == pytest.approx(math.log(4), abs=1e-3)
    assert plane.target_information.item() == pytest.approx(math.log(2), abs=0.05)
    blind = DiffusionSpectralMeasure()
    first, second = (information_plane([[scale * layer]], target, blind) for scale in (1, 1000))
    torch.testing.assert_close(first.input_information, second.input_information)


def test_every_layer_and_checkpoint_has_its_place():
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(3, (50,), generator=generator)
    layers = [torch.randn(50, *shape, generator=generator) for shape in ((4,), (2, 3), (1,))]
    constant = [torch.zeros_like(layer) for layer in layers]
    plane = information_plane([layers, constant], target, AdaptiveLayerBinning(5))
    assert plane.input_information.shape == plane.target_information.shape == (2, 3)
    assert (plane.input_information[0] > 1).all()
    assert not plane.input_information[1].any()
    assert not plane.target_information[1].any()
    assert (plane.target_information <= plane.input_information + 1e-12).all()
    torch.testing.assert_close(plane.compression(), plane.input_information[0])
    assert isinstance(plane, InformationPlane)


def test_records_that_cannot_be_placed_are_refused_by_name():
    measure, layer, target = FixedBinning((0.0,)), torch.randn(4, 2), torch.arange(4)
    with pytest.raises(ValueError, match="expected integers"):
        information_plane([[layer]], target.float(), measure)
    with pytest.raises(ValueError, match="no activations"):
        information_plane([], target, measure)
    with pytest.raises(ValueError, match="checkpoint 1 has 2 layers and the first has 1"):
        information_plane([[layer], [layer, layer]], target, measure)
    with pytest.raises(ValueError, match="checkpoint 0, layer 1: shape"):
        information_plane([[layer, layer[:3]]], target, measure)
    with pytest.raises(ValueError, match="checkpoint 0, layer 0: activations are not finite"):
        information_plane([[layer / 0]], target, measure)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="edges must rise"):
        FixedBinning((1.0, 1.0))
    with pytest.raises(ValueError, match="bins must be at least 2"):
        AdaptiveLayerBinning(1)
    with pytest.raises(ValueError, match="noise must be > 0"):
        AdaptiveLayerKDE(0.0)
    with pytest.raises(ValueError, match="bandwidth must be > 0"):
        DiffusionSpectralMeasure(bandwidth=-1.0)
