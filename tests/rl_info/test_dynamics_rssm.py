"""The recurrence against plain autograd, a dense GRU and itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu
from world_models import ACTION, EMBED, SMALL, seeded, small_rssm

from rl_info.dynamics import RSSM, Latent
from rl_info.dynamics.recurrence import posterior_logits, transition
from rl_info.nn.categorical_latent import draw_classes, straight_through
from rl_info.nn.rms_silu import RMSSiLUFunction

B, T = 3, 5


def inputs() -> tuple[Tensor, Tensor, Tensor, Latent]:
    generator = seeded(3)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()

    is_first = torch.zeros(B, T, dtype=torch.bool)
    is_first[0, 0] = is_first[1, 2] = True
    stoch = numbers(B, SMALL.stoch, SMALL.classes)
    state = Latent(numbers(B, SMALL.deter), stoch, torch.zeros_like(stoch))
    return numbers(B, T, EMBED), numbers(B, T, ACTION), is_first, state


def slow_observe(
    model, embed: Tensor, actions: Tensor, is_first: Tensor, state: Latent, uniform: Tensor
) -> Latent:
    """Step by step with automatic differentiation."""
    deter, stoch, weights, states = state.deter, state.stoch, model.recurrence.weights(), []
    for t in range(embed.shape[1]):
        keep = (~is_first[:, t]).double()[:, None]
        part = model.recurrence.action_part(actions[:, t] * keep, torch.float64)
        deter = transition(deter * keep, stoch.flatten(1) * keep, part, weights)
        embed_part = model.recurrence.embed_part(embed[:, t], torch.float64)
        logits = posterior_logits(deter, embed_part, weights).view_as(stoch)
        stoch = straight_through(logits, uniform[t], model.uniform_mix)
        states.append((deter, stoch, logits))
    return Latent(*(torch.stack(part, dim=1) for part in zip(*states, strict=True)))


def test_scan_and_its_gradients_equal_plain_autograd() -> None:
    model = small_rssm()
    embed, actions, is_first, state = inputs()
    uniform = torch.rand((T, B, SMALL.stoch, 1), generator=seeded(1), dtype=torch.float64)
    weight = Latent(
        *(
            torch.randn(B, T, *shape, generator=seeded(4), dtype=torch.float64)
            for shape in ((16,), (3, 4), (3, 4))
        )
    )

    def gradients(latent: Latent) -> tuple[Tensor, ...]:
        loss = sum(
            (getattr(latent, name) * getattr(weight, name)).sum()
            for name in ("deter", "stoch", "logits")
        )
        of = [embed, actions, state.deter, state.stoch, *model.recurrence.parameters()]
        return torch.autograd.grad(loss, of)

    fast, _ = model.observe(embed, actions, is_first, state, generator=seeded(1))
    slow = slow_observe(model, embed, actions, is_first, state, uniform)
    assert torch.equal(fast.stoch, slow.stoch.detach().round())
    torch.testing.assert_close(fast.deter, slow.deter, rtol=0, atol=1e-12)
    torch.testing.assert_close(fast.logits, slow.logits, rtol=0, atol=1e-12)
    for found, expected in zip(gradients(fast), gradients(slow), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
        assert expected.abs().max() > 0


def test_bfloat16_products_stay_near_float32() -> None:
    model = small_rssm().float()
    embed, actions, is_first, _ = (
        x.detach().float() if isinstance(x, Tensor) and x.is_floating_point() else x
        for x in inputs()
    )
    exact, _ = model.observe(embed, actions, is_first, generator=seeded(1))
    rough, _ = model.observe(embed, actions, is_first, generator=seeded(1), dtype=torch.bfloat16)
    assert rough.deter.dtype == torch.float32
    # The first step alone: a draw that flips by rounding sends later steps elsewhere.
    torch.testing.assert_close(rough.deter[:, 0], exact.deter[:, 0], rtol=0, atol=0.02)
    assert not torch.equal(rough.deter[:, 0], exact.deter[:, 0])


def test_rms_silu_gradient_equals_finite_differences() -> None:
    x = torch.randn(4, 6, generator=seeded(), dtype=torch.float64, requires_grad=True)
    gain = torch.randn(6, generator=seeded(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(RMSSiLUFunction.apply, (x, gain))
    expected = silu(gain * x / (x.square().mean(-1, keepdim=True) + 1e-4).sqrt())
    torch.testing.assert_close(RMSSiLUFunction.apply(x, gain), expected)


def test_block_gru_equals_dense_gru_with_block_diagonal_weights() -> None:
    model = small_rssm()
    weights = model.recurrence.weights()
    deter = torch.randn(B, SMALL.deter, generator=seeded(), dtype=torch.float64)
    stoch = torch.rand(B, SMALL.flat_stoch, generator=seeded(1), dtype=torch.float64)
    part = torch.randn(B, SMALL.deter, generator=seeded(2), dtype=torch.float64)

    def layer(x: Tensor, matrix: Tensor, bias: Tensor, gain: Tensor) -> Tensor:
        pre = x @ matrix + bias
        return silu(gain * pre / (pre.square().mean(-1, keepdim=True) + 1e-4).sqrt())

    shared = torch.cat(
        [
            layer(deter, weights.deter_in, weights.deter_in_bias, weights.deter_in_gain),
            layer(stoch, weights.stoch_in, weights.stoch_in_bias, weights.stoch_in_gain),
        ],
        dim=1,
    )
    recurrent = torch.block_diag(*weights.hidden_blocks)
    matrix = torch.cat([recurrent, weights.hidden_inputs])
    hidden = layer(torch.cat([deter, shared], dim=1), matrix, part, weights.hidden_gain)
    width = SMALL.deter // SMALL.blocks
    reset, candidate, update = (
        hidden @ torch.block_diag(*weights.gates[:, :, gate * width : (gate + 1) * width])
        + weights.gates_bias[:, 0, gate * width : (gate + 1) * width].flatten()
        for gate in range(3)
    )
    update = torch.sigmoid(update)
    new = torch.tanh(torch.sigmoid(reset) * candidate)
    expected = update * new + (1 - update) * deter
    torch.testing.assert_close(transition(deter, stoch, part, weights), expected)


def test_an_episode_does_not_remember_the_one_before() -> None:
    model = small_rssm()
    embed, actions, is_first, state = inputs()
    latent, prior = model.observe(embed, actions, is_first, state, generator=seeded(1))
    other = Latent(state.deter + 1, state.stoch + 1, state.logits)
    embed2, actions2 = embed.clone(), actions.clone()
    embed2[1, :2] += 1.0
    actions2[1, :3] += 1.0
    changed, _ = model.observe(embed2, actions2, is_first, other, generator=seeded(1))
    assert torch.equal(latent.feature[0], changed.feature[0])
    assert torch.equal(latent.feature[1, 2:], changed.feature[1, 2:])
    assert not torch.equal(latent.feature[1, 1], changed.feature[1, 1])
    assert not torch.equal(latent.feature[2], changed.feature[2])
    alone, _ = model.observe(embed[:, 2:], actions[:, 2:], is_first[:, 2:], generator=seeded(9))
    torch.testing.assert_close(alone.deter[1, 0], latent.deter[1, 2])
    assert prior.shape == latent.logits.shape


def test_observing_in_two_parts_equals_observing_at_once() -> None:
    model = small_rssm()
    embed, actions, is_first, state = inputs()
    whole, _ = model.observe(embed, actions, is_first, state, generator=seeded(1))
    generator = seeded(1)
    first, _ = model.observe(
        embed[:, :2], actions[:, :2], is_first[:, :2], state, generator=generator
    )
    second, _ = model.observe(
        embed[:, 2:], actions[:, 2:], is_first[:, 2:], first.at(-1), generator=generator
    )
    torch.testing.assert_close(torch.cat([first.feature, second.feature], dim=1), whole.feature)


def test_imagination_goes_the_way_that_observation_foresees() -> None:
    """After the same state and action, imagined h and prior are those of the next observed step."""
    model = small_rssm()
    embed, actions, is_first, state = inputs()
    latent, prior = model.observe(embed, actions, is_first, state, generator=seeded(1))
    start = Latent(*(part.detach() for part in vars(latent.at(0)).values()))
    states, taken = model.imagine(lambda _: actions[:, 1], start, 1, generator=seeded(2))
    torch.testing.assert_close(states.deter[:, 1], latent.deter[:, 1])
    torch.testing.assert_close(states.logits[:, 1], prior[:, 1])
    assert torch.equal(states.deter[:, 0], start.deter)
    assert torch.equal(taken[:, 0], actions[:, 1])
    followed = model.follow(start, actions[:, 1:2], generator=seeded(2))
    torch.testing.assert_close(followed.feature[:, 0], states.feature[:, 1])


def test_imagination_is_differentiable_in_the_policy() -> None:
    model = small_rssm()
    _, _, _, state = inputs()
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    states, _ = model.imagine(
        lambda feature: torch.tanh(feature[:, :ACTION] + scale), state, 3, generator=seeded()
    )
    (slope,) = torch.autograd.grad(states.deter[:, -1].sum(), scale)
    assert slope.abs() > 0
    with pytest.raises(ValueError, match="at least 1"):
        model.imagine(lambda feature: feature[:, :ACTION], state, 0, generator=seeded())


def test_draws_follow_their_probabilities() -> None:
    share = torch.tensor([0.1, 0.2, 0.3, 0.4]).expand(4000, 1, 4)
    drawn = draw_classes(share, torch.rand(4000, 1, 1, generator=seeded()))
    assert torch.equal(drawn.sum(-1), torch.ones(4000, 1))
    torch.testing.assert_close(drawn.mean(dim=0)[0], share[0, 0], rtol=0, atol=0.03)
    # Rounding of the sum must not lead beyond the last class.
    assert draw_classes(share[:1], torch.full((1, 1, 1), 1.0))[0, 0, 3] == 1


def test_the_same_generator_gives_the_same_bits() -> None:
    model = small_rssm()
    embed, actions, is_first, state = inputs()
    first, _ = model.observe(embed, actions, is_first, state, generator=seeded(1))
    again, _ = model.observe(embed, actions, is_first, state, generator=seeded(1))
    other, _ = model.observe(embed, actions, is_first, state, generator=seeded(2))
    assert torch.equal(first.feature, again.feature)
    assert not torch.equal(first.feature, other.feature)


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 3"):
        type(SMALL)(deter=16, hidden=6, stoch=3, classes=4, depth=2, units=4, blocks=3)
    with pytest.raises(ValueError, match="hidden"):
        type(SMALL)(deter=16, hidden=0, stoch=3, classes=4, depth=2, units=4)


def test_a_posterior_without_memory_sees_the_observation_alone() -> None:
    """Else it could copy the action out of h_t into z_t, and the prior would foresee it."""
    embed, actions, is_first, state = inputs()
    model = RSSM(SMALL, EMBED, ACTION, seeded(), posterior_reads_memory=False).double()
    reading = small_rssm()
    for each, expected in ((model, True), (reading, False)):
        one, prior = each.observe(embed, actions, is_first, state, generator=seeded(1))
        other, moved = each.observe(embed, actions + 0.5, is_first, state, generator=seeded(1))
        assert torch.equal(one.logits, other.logits) is expected
        assert not torch.equal(prior, moved)
        assert one.logits.requires_grad
