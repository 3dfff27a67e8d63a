from __future__ import annotations

import copy

import pytest
import torch
from torch.nn.functional import layer_norm, relu

from rl_info.nn import FlatAdam, StackedLayout, StackedMLP


def build(members=3, layers=2, *, norm=False, precision="float32", hidden=16, seed=0):
    layout = StackedLayout(members, inputs=5, hidden_dim=hidden, hidden_layers=layers, outputs=4)
    return StackedMLP(
        layout,
        generator=torch.Generator().manual_seed(seed),
        layer_norm=norm,
        precision=precision,
    )


def draw(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def perturb(net: StackedMLP) -> None:
    """Give biases a value too, so that a forgotten bias shows."""
    net.flat.add_(0.1 * draw(*net.flat.shape, seed=9))
    net.refresh()


def slow(net: StackedMLP, inputs: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
    """One member after the other, differentiated by autograd."""
    layers = net.layout.layers(flat)
    zero = torch.zeros(net.layout.members, 1, net.layout.hidden_dim)
    outputs = []
    for e in range(net.layout.members):
        value = inputs
        weights = [layers.input_weight, *layers.weights]
        for weight, bias in zip(weights, [zero, *layers.biases], strict=True):
            value = value @ weight[e] + bias[e]
            value = relu(layer_norm(value, value.shape[-1:]) if net.layer_norm else value)
        outputs.append(layers.output_weight[e] @ value.T + layers.output_bias[e])
    return torch.stack(outputs)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("members", "layers"), [(1, 1), (2, 2), (3, 3)])
def test_values_and_gradients_equal_one_network_after_the_other(members, layers, norm):
    net = build(members, layers, norm=norm)
    perturb(net)
    inputs = draw(7, 5).requires_grad_()
    weight = draw(members, 4, 7, seed=2)
    flat = net.flat.detach().clone().requires_grad_()
    expected = slow(net, inputs, flat)
    inputs_grad, flat_grad = torch.autograd.grad((expected * weight).sum(), [inputs, flat])
    with torch.no_grad():
        tape = net.run(inputs)
        torch.testing.assert_close(tape.output, expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            net.gradient(tape, weight).float(), flat_grad, rtol=1e-4, atol=1e-5
        )
        found = net.input_gradient(tape, weight, trailing=3)
        torch.testing.assert_close(found, inputs_grad[:, -3:], rtol=1e-4, atol=1e-5)
        assert torch.equal(net(inputs), tape.output)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("layers", [2, 3])
def test_bfloat16_is_nearer_to_float32_than_the_autocast_of_torch(layers, norm):
    net = build(layers=layers, hidden=128, norm=norm, precision="bfloat16")
    inputs, weight = draw(256, 5).requires_grad_(), draw(3, 4, 256, seed=2)
    flat = net.flat.detach().clone().requires_grad_()
    exact = slow(net, inputs, flat)
    with torch.autocast("cpu", torch.bfloat16):
        cast = slow(net, inputs, flat)
    with torch.no_grad():
        tape = net.run(inputs)
        found = [
            tape.output,
            net.gradient(tape, weight).float(),
            net.input_gradient(tape, weight, 5),
        ]
    references = [
        [value, *torch.autograd.grad((value.float() * weight).sum(), [flat, inputs])]
        for value in (exact, cast)
    ]
    for ours, reference, theirs in zip(found, *references, strict=True):
        assert ours.dtype == torch.float32
        error = (ours - reference).norm() / reference.norm()
        assert 0 < error < (theirs.float() - reference).norm() / reference.norm()
        assert error < 0.08


def test_one_hidden_layer_has_no_product_to_round():
    exact, low = build(layers=1), build(layers=1, precision="bfloat16")
    assert torch.equal(exact(draw(7, 5)), low(draw(7, 5)))


def test_the_rounded_copy_follows_optimiser_steps_loads_and_deep_copies():
    inputs = draw(16, 5)
    net, other = build(precision="bfloat16"), build(precision="bfloat16", seed=1)
    before = net.run(inputs).output
    FlatAdam(net.flat, 0.1).step(draw(*net.flat.shape))
    net.refresh()
    after = net.run(inputs).output
    assert not torch.equal(before, after)
    clone = copy.deepcopy(net)
    other.load_state_dict(net.state_dict())
    for twin in (clone, other):
        assert torch.equal(twin.run(inputs).output, after)
    torch.nn.init.zeros_(clone.flat)
    clone.refresh()
    assert not clone.run(inputs).output.any()
    assert torch.equal(net.run(inputs).output, after)


def test_weights_start_orthogonal_and_biases_zero():
    net = build(2, 2)
    layers = net.layout.layers(net.flat)
    for member in layers.weights[0]:
        torch.testing.assert_close(member @ member.T, 2 * torch.eye(16), rtol=0, atol=1e-5)
    assert not layers.biases[0].any()
    assert not layers.output_bias.any()
    assert not torch.equal(*layers.weights[0])


def test_the_same_seed_builds_the_same_bits():
    assert torch.equal(build(seed=3).flat, build(seed=3).flat)
    assert not torch.equal(build(seed=3).flat, build(seed=4).flat)


@pytest.mark.parametrize("layers", [1, 3])
def test_the_tensors_cover_the_buffer_exactly(layers):
    layout = build(2, layers).layout
    flat = torch.zeros(sum(layout.sizes))
    parts = layout.layers(flat)
    tensors = [parts.input_weight, *parts.weights, *parts.biases]
    for tensor in [*tensors, parts.output_weight, parts.output_bias]:
        tensor += 1.0
    assert torch.equal(flat, torch.ones_like(flat))
    for whole, part in zip(parts.weights, layout.squares(flat[: layout.square_size]), strict=True):
        assert whole.data_ptr() == part.data_ptr()


@pytest.mark.parametrize("name", ["members", "inputs", "hidden_dim", "hidden_layers", "outputs"])
def test_a_size_below_one_is_refused_by_name(name):
    names = ("members", "inputs", "hidden_dim", "hidden_layers", "outputs")
    with pytest.raises(ValueError, match=name):
        StackedLayout(**{each: int(each != name) for each in names})
