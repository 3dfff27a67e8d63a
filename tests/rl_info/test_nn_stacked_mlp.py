from __future__ import annotations

import pytest
import torch
from torch.nn.functional import layer_norm, relu

from rl_info.nn import StackedLayout, StackedMLP


def build(members=3, layers=2, *, norm=False, precision="float32", hidden=16, seed=0):
    layout = StackedLayout(members, inputs=5, hidden_dim=hidden, hidden_layers=layers, outputs=4)
    return StackedMLP(
        layout,
        generator=torch.Generator().manual_seed(seed),
        layer_norm=norm,
        precision=precision,
    )


def slow(net: StackedMLP, inputs: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
    """One member after the other, differentiated by autograd."""
    layers = net.layout.layers(flat)
    outputs = []
    for e in range(net.layout.members):
        value = inputs
        for weight, bias in zip(layers.weights, layers.biases, strict=True):
            value = value @ weight[e] + bias[e]
            value = relu(layer_norm(value, value.shape[-1:]) if net.layer_norm else value)
        outputs.append(value @ layers.output_weight[e] + layers.output_bias[e])
    return torch.stack(outputs)


def perturb(net: StackedMLP) -> None:
    """Give biases a value too, so that a forgotten bias shows."""
    with torch.no_grad():
        noise = torch.randn(net.flat.shape, generator=torch.Generator().manual_seed(9))
        net.flat.add_(0.1 * noise)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("members", "layers"), [(1, 1), (2, 2), (3, 3)])
def test_values_and_gradients_equal_one_network_after_the_other(members, layers, norm):
    net = build(members, layers, norm=norm)
    perturb(net)
    inputs = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    weight = torch.randn(members, 7, 4, generator=torch.Generator().manual_seed(2))
    flat = net.flat.detach().clone().requires_grad_()
    expected = slow(net, inputs, flat)
    wanted = torch.autograd.grad((expected * weight).sum(), [inputs, flat])
    found = net(inputs)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    grads = torch.autograd.grad((found * weight).sum(), [inputs, net.flat])
    for grad, reference in zip(grads, wanted, strict=True):
        torch.testing.assert_close(grad, reference, rtol=1e-4, atol=1e-5)


def test_frozen_parameters_pass_the_same_gradient_to_the_input_and_get_none():
    net = build()
    inputs = torch.randn(7, 5, requires_grad=True)
    (free,) = torch.autograd.grad(net(inputs).square().sum(), [inputs])
    net(inputs, frozen=True).square().sum().backward()
    assert net.flat.grad is None
    torch.testing.assert_close(inputs.grad, free, rtol=0, atol=0)


def test_frozen_and_without_input_gradient_builds_no_graph():
    assert not build()(torch.randn(7, 5), frozen=True).requires_grad


def test_bfloat16_is_close_to_float32_in_values_and_gradients():
    exact, low = build(hidden=128), build(hidden=128, precision="bfloat16")
    inputs = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))
    values = [net(inputs) for net in (exact, low)]
    grads = [
        torch.autograd.grad(value.square().sum(), [net.flat])[0]
        for value, net in zip(values, (exact, low), strict=True)
    ]
    assert (values[0] - values[1]).norm() < 0.01 * values[0].norm()
    assert (grads[0] - grads[1]).norm() < 0.02 * grads[0].norm()
    assert not torch.equal(values[0], values[1])
    assert values[1].dtype == grads[1].dtype == torch.float32


def test_bfloat16_follows_every_kind_of_parameter_change():
    inputs = torch.randn(16, 5, generator=torch.Generator().manual_seed(1))
    net, other = build(precision="bfloat16"), build(precision="bfloat16", seed=1)
    before = net(inputs)
    optimiser = torch.optim.Adam([net.flat], lr=0.1, fused=True)
    before.square().sum().backward()
    optimiser.step()
    stepped = net(inputs)
    fresh = build(precision="bfloat16")
    fresh.load_state_dict(net.state_dict())
    assert torch.equal(fresh(inputs), stepped)
    assert not torch.equal(stepped, before)
    with torch.no_grad():
        net.flat.lerp_(other.flat, 1.0)
    assert torch.equal(net(inputs), other(inputs))


def test_weights_start_orthogonal_and_biases_zero():
    views = build(2, 2).layout.views(build(2, 2).flat.detach())
    for member in views["hidden.1.weight"]:
        torch.testing.assert_close(member @ member.T, 2 * torch.eye(16), rtol=0, atol=1e-5)
    assert not views["hidden.0.bias"].any()
    assert not torch.equal(*views["hidden.1.weight"])


def test_the_same_seed_builds_the_same_bits():
    assert torch.equal(build(seed=3).flat, build(seed=3).flat)
    assert not torch.equal(build(seed=3).flat, build(seed=4).flat)


def test_the_views_cover_the_buffer_exactly():
    net = build(2, 3)
    with torch.no_grad():
        for view in net.layout.views(net.flat.detach()).values():
            view.fill_(7.0)
    assert bool((net.flat == 7.0).all())


@pytest.mark.parametrize("name", ["members", "inputs", "hidden_dim", "hidden_layers", "outputs"])
def test_a_size_below_one_is_refused_by_name(name):
    sizes = dict(members=1, inputs=1, hidden_dim=1, hidden_layers=1, outputs=1)
    with pytest.raises(ValueError, match=name):
        StackedLayout(**{**sizes, name: 0})
