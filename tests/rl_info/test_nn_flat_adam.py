from __future__ import annotations

import pytest
import torch
from torch import nn

from rl_info.nn import FlatAdam
from rl_info.nn.flat_gradient import FlatGradient


def gradients(count=30, size=1001):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(size, generator=generator) * 10 ** (i % 5 - 2) for i in range(count)]


def test_steps_and_targets_equal_torch_adam_and_a_moving_average():
    start = torch.randn(1001, generator=torch.Generator().manual_seed(1))
    ours, theirs = nn.Parameter(start.clone(), requires_grad=False), nn.Parameter(start.clone())
    followed, expected = torch.zeros(1001), torch.zeros(1001)
    optimiser = FlatAdam(ours, 3e-3, (0.8, 0.95))
    reference = torch.optim.Adam([theirs], lr=3e-3, betas=(0.8, 0.95))
    for gradient in gradients():
        norm = optimiser.step(gradient, followed, 0.05)
        torch.testing.assert_close(norm, gradient.norm(), rtol=1e-5, atol=0)
        theirs.grad = gradient
        reference.step()
        expected.lerp_(theirs.detach(), 0.05)
    torch.testing.assert_close(ours.data, theirs.data, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(followed, expected, rtol=1e-5, atol=1e-6)
    assert float((ours - start).abs().max()) > 0.01


def test_the_step_without_a_target_is_the_same_step():
    values = [nn.Parameter(torch.ones(1001), requires_grad=False) for _ in range(2)]
    first, second = (FlatAdam(value, 1e-2) for value in values)
    for gradient in gradients():
        first.step(gradient)
        second.step(gradient, torch.zeros(1001), 0.5)
    assert torch.equal(*values)


@pytest.mark.parametrize("max_norm", [None, 0.5])
def test_a_rounded_gradient_is_read_exactly_and_rounded_copies_follow(max_norm):
    values = [nn.Parameter(torch.ones(1001), requires_grad=False) for _ in range(2)]
    targets = [torch.zeros(1001), torch.zeros(1001)]
    copies = [torch.zeros(600, dtype=torch.bfloat16) for _ in range(2)]
    low, exact = (FlatAdam(value, 1e-2, max_norm=max_norm) for value in values)
    for gradient in gradients():
        mixed = FlatGradient(gradient[:600].bfloat16(), gradient[600:].clone())
        same = mixed.float()
        norm = low.step(mixed, targets[0], 0.1, *copies)
        torch.testing.assert_close(norm, exact.step(same, targets[1], 0.1), rtol=1e-5, atol=0)
        for copy, followed in zip(copies, (values[0], targets[0]), strict=True):
            assert torch.equal(copy, followed[:600].bfloat16())
    # A clipped gradient is rounded once more, by half of the eighth bit.
    tolerance = 1e-6 if max_norm is None else 4e-3
    torch.testing.assert_close(*values, rtol=0, atol=tolerance)
    torch.testing.assert_close(*targets, rtol=0, atol=tolerance)
    assert float((values[0] - 1.0).abs().max()) > 0.05


def test_tensor_operations_for_other_devices_agree_with_the_compiled_pass():
    values = [nn.Parameter(torch.ones(1001), requires_grad=False) for _ in range(2)]
    targets = [torch.zeros(1001), torch.zeros(1001)]
    compiled, plain = (FlatAdam(value, 1e-2) for value in values)
    for gradient in gradients():
        plain.steps += 1
        norms = [
            compiled.step(gradient, targets[0], 0.1),
            plain.step_by_tensors(gradient, targets[1], 0.1),
        ]
        torch.testing.assert_close(*norms, rtol=1e-5, atol=0)
    torch.testing.assert_close(values[0], values[1], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(targets[0], targets[1], rtol=1e-5, atol=1e-6)


def test_a_long_gradient_is_scaled_to_the_norm_and_a_short_one_is_not():
    values = [nn.Parameter(torch.zeros(4), requires_grad=False) for _ in range(2)]
    clipped, free = FlatAdam(values[0], 0.1, max_norm=1.0), FlatAdam(values[1], 0.1)
    for gradient in (torch.full((4,), 5.0), torch.full((4,), 0.1)):
        expected = gradient * min(1.0, 1.0 / float(gradient.norm()))
        norm = float(gradient.norm())
        assert float(clipped.step(gradient)) == pytest.approx(norm, rel=1e-6)
        torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=0)
        free.step(expected)
    torch.testing.assert_close(*values)


def test_a_scalar_parameter_and_a_saved_state_continue_bit_for_bit():
    values = [nn.Parameter(torch.tensor(2.0), requires_grad=False) for _ in range(2)]
    first, second = (FlatAdam(value, 0.1) for value in values)
    first.step(torch.tensor(0.3))
    values[1].copy_(values[0])
    second.load_state_dict(first.state_dict())
    for gradient in (0.5, -2.0):
        first.step(torch.tensor(gradient))
        second.step(torch.tensor(gradient))
    assert torch.equal(*values)
    assert float(values[0]) != 2.0


@pytest.mark.parametrize(("rate", "betas"), [(0.0, (0.9, 0.9)), (1e-3, (1.0, 0.9))])
def test_settings_out_of_range_are_refused(rate, betas):
    with pytest.raises(ValueError, match="Adam needs"):
        FlatAdam(nn.Parameter(torch.ones(1)), rate, betas)


def test_a_norm_to_clip_to_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="norm to clip"):
        FlatAdam(nn.Parameter(torch.ones(1)), 1e-3, max_norm=0.0)
