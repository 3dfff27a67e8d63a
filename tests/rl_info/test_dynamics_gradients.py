"""Which losses reach the encoder, by which way, and what the switches of InfoPower cut."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor
from world_models import seeded, vector_batch, world_model

from rl_info.dynamics import REPRESENTATIONS, Latent, WorldModel
from rl_info.dynamics.representation.infopower import InfoPowerConfig


def reach(model: WorldModel, loss: Tensor, parameters=None) -> float:
    """Size of the gradient of a loss in the encoder, or in other parameters."""
    chosen = list(model.encoder.parameters() if parameters is None else parameters)
    if not loss.requires_grad:
        return 0.0
    slopes = torch.autograd.grad(loss, chosen, allow_unused=True, retain_graph=True)
    return sum(float(slope.norm()) for slope in slopes if slope is not None)


def losses_of(model: WorldModel, steps: int) -> dict[str, Tensor]:
    losses, _, _ = model.loss(vector_batch(4, steps), generator=seeded())
    return losses


# One step leaves no way through the recurrence: what reaches the encoder does so directly.
@pytest.mark.parametrize(
    ("name", "steps", "loss", "reached"),
    [
        ("infopower", 1, "dynamics", False),
        ("infopower", 1, "representation", True),
        ("infopower", 1, "reward", True),
        ("infopower", 1, "continue", True),
        ("infopower", 1, "information", True),
        ("infopower", 2, "inverse", True),
        ("infopower", 2, "source", False),
        ("infonce", 1, "infonce", True),
        ("barlow", 1, "barlow", True),
        ("reconstruction", 1, "reconstruction", True),
        ("mudreamer", 2, "value", True),
        ("mudreamer", 2, "inverse", True),
        ("bisimulation", 2, "bisimulation", True),
        ("infonce", 2, "dynamics", True),
    ],
)
def test_terms_reach_the_encoder_where_they_should(
    name: str, steps: int, loss: str, reached: bool
) -> None:
    model = world_model(name)
    assert (reach(model, losses_of(model, steps)[loss]) > 0) is reached


@pytest.mark.parametrize(
    ("name", "by_embedding", "by_latent"),
    [
        ("infopower", True, True),
        ("infonce", False, True),
        ("barlow", False, True),
        ("reconstruction", False, True),
    ],
)
def test_embeddings_are_moved_as_targets_only_by_infopower(
    name: str, by_embedding: bool, by_latent: bool
) -> None:
    model = world_model(name)
    observed = model.observe(vector_batch(4, 1), generator=seeded())
    no_latent = dataclasses.replace(observed, posterior=observed.posterior.detach())
    no_embed = dataclasses.replace(observed, embed=observed.embed.detach())
    key = next(iter(model.objective.scales))
    assert (reach(model, model.objective.loss(no_latent)[0][key]) > 0) is by_embedding
    assert (reach(model, model.objective.loss(no_embed)[0][key]) > 0) is by_latent


@pytest.mark.parametrize(
    ("switch", "loss"),
    [
        ("information", "information"),
        ("forward", "representation"),
        ("reward", "reward"),
        ("empowerment", "inverse"),
    ],
)
def test_a_switch_cuts_its_term_and_no_other(switch: str, loss: str) -> None:
    whole = world_model("infopower")
    cut = world_model("infopower", InfoPowerConfig(**{switch: False}))
    before, after = losses_of(whole, 3), losses_of(cut, 3)
    for name in before:
        expected = 0.0 if name == loss else reach(whole, before[name])
        assert reach(cut, after[name]) == pytest.approx(expected, rel=1e-5)
    # What measures still learns: the heads behind the cut see their full gradient.
    heads = {
        "information": cut.objective.critic,
        "reward": cut.reward,
        "inverse": cut.objective.densities.inverse,
    }
    if loss in heads:
        assert reach(cut, after[loss], heads[loss].parameters()) > 0


def test_the_multiplier_scales_the_representation_and_not_the_heads() -> None:
    one = world_model("infopower", InfoPowerConfig(initial_multiplier=1.0))
    three = world_model("infopower", InfoPowerConfig(initial_multiplier=3.0))
    single, triple = losses_of(one, 3), losses_of(three, 3)
    for name in ("representation", "reward", "inverse"):
        assert reach(three, triple[name]) == pytest.approx(3 * reach(one, single[name]), rel=1e-4)
    for name in ("information", "continue", "dynamics"):
        assert reach(three, triple[name]) == pytest.approx(reach(one, single[name]), rel=1e-4)
    assert reach(three, triple["reward"], three.reward.parameters()) == pytest.approx(
        reach(one, single["reward"], one.reward.parameters()), rel=1e-5
    )
    fixed = world_model("infopower", InfoPowerConfig(initial_multiplier=3.0, constraint=False))
    assert reach(fixed, losses_of(fixed, 3)["reward"]) == pytest.approx(
        reach(one, single["reward"]), rel=1e-4
    )


def test_the_inverse_model_reads_no_recurrent_state() -> None:
    """h_t is a function of a_{t−1}: reading it would make the action known for free."""
    model = world_model("infopower")
    observed = model.observe(vector_batch(4, 3), generator=seeded())
    posterior = observed.posterior
    moved = Latent(posterior.deter + 1.0, posterior.stoch, posterior.logits)
    plain, _ = model.objective.loss(observed)
    other, _ = model.objective.loss(dataclasses.replace(observed, posterior=moved))
    assert torch.equal(plain["inverse"], other["inverse"])
    assert not torch.equal(plain["information"], other["information"])


def test_steps_across_episodes_teach_no_action() -> None:
    model = world_model("infopower")
    batch = vector_batch(4, 3)
    batch.is_first[:, 2] = True
    batch.action[:, 2] = 0.9
    observed = model.observe(batch, generator=seeded())
    plain, _ = model.objective.loss(observed)
    batch.action[:, 2] = -0.9
    other, _ = model.objective.loss(observed)
    assert torch.equal(plain["inverse"], other["inverse"])


def test_bisimulation_does_not_move_its_target() -> None:
    model = world_model("bisimulation")
    loss = losses_of(model, 3)["bisimulation"]
    assert reach(model, loss, model.rssm.prior_head.parameters()) == 0.0


@pytest.mark.parametrize("name", list(REPRESENTATIONS))
def test_every_objective_moves_every_parameter(name: str) -> None:
    model = world_model(name)
    losses, metrics, _ = model.loss(vector_batch(4, 4), generator=seeded())
    model.total(losses).backward()
    for label, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, label
            assert parameter.grad.isfinite().all(), label
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.after_update(metrics)
    moved = {key for key, value in model.state_dict().items() if not value.equal(before[key])}
    # Slow copies move only after their originals did.
    assert moved == ({"objective.multiplier.log_multiplier"} if name == "infopower" else set())
