"""Multi-critic PPO: advantages, gradients, and small problems with known answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sac_cases import ACTION, OBS, SKILL, LearnedReward, TaskReward, batch, context
from torch import Tensor

from agents.learners import MultiCriticPPO, PPOConfig, RewardTerm
from agents.learners.advantages import generalised_advantages, weighted_sum
from agents.learners.ppo_losses import policy_loss
from rl_info.nn import TanhGaussian
from rl_info.rewards import RewardConfig, RewardContext
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

NO_SKILL = SkillSpec()
STEPS, WORLDS = 8, 4


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def learner(*configs: RewardConfig, seed: int = 0, **fields: Any) -> MultiCriticPPO:
    terms = {
        f"task{k}": RewardTerm(TaskReward(context(), (-1.0) ** k), config)
        for k, config in enumerate(configs or (RewardConfig(),))
    }
    terms["learned"] = RewardTerm(LearnedReward(context()), RewardConfig(weight=0.5))
    config = PPOConfig(**{"hidden_dim": 16, "minibatches": 2, "epochs": 2, **fields})
    return MultiCriticPPO(OBS, ACTION, SKILL, terms, config, seed=seed)


def whole(steps: int = STEPS, worlds: int = WORLDS) -> Tensor:
    return torch.ones(steps, worlds, dtype=torch.bool)


def slow_advantages(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    discount: Tensor,
    terminated: Tensor,
    ended: Tensor,
    lambda_: float,
) -> Tensor:
    """The sum of discounted errors until the end, written out for every reward, step and world."""
    found = torch.zeros_like(reward)
    rewards, steps, worlds = reward.shape
    for k in range(rewards):
        for n in range(worlds):
            for t in range(steps):
                weight = 1.0
                for u in range(t, steps):
                    follows = 0.0 if terminated[u, n] else float(next_value[k, u, n])
                    error = float(reward[k, u, n]) + float(discount[k]) * follows
                    found[k, t, n] += weight * (error - float(value[k, u, n]))
                    if ended[u, n]:
                        break
                    weight *= float(discount[k]) * lambda_
    return found


def test_advantages_equal_sums_of_discounted_errors():
    generator = torch.Generator().manual_seed(1)
    terminated = torch.rand(STEPS, WORLDS, generator=generator) < 0.2
    ended = terminated | (torch.rand(STEPS, WORLDS, generator=generator) < 0.2)
    reward, value, next_value = (draw(3, STEPS, WORLDS, seed=s) for s in range(3))
    arguments = (reward, value, next_value, torch.tensor([0.9, 0.5, 0.0]), terminated, ended, 0.8)
    torch.testing.assert_close(generalised_advantages(*arguments), slow_advantages(*arguments))


def test_each_reward_counts_by_its_weight_whatever_its_units():
    advantage = draw(2, 100)
    scaled = advantage * torch.tensor([[1e3], [1e-2]]) + torch.tensor([[50.0], [-0.1]])
    weight = torch.tensor([1.0, 0.5])
    torch.testing.assert_close(
        weighted_sum(scaled, weight), weighted_sum(advantage, weight), rtol=1e-3, atol=1e-4
    )
    constant = torch.stack([advantage[0], torch.full((100,), 3.0)])
    torch.testing.assert_close(
        weighted_sum(constant, weight), weighted_sum(advantage[:1], weight[:1])
    )


def test_gradients_of_the_policy_equal_those_of_autograd():
    features = draw(64, 2 * ACTION).requires_grad_()
    policy = TanhGaussian.from_features(features)
    action = policy.sample(draw(64, ACTION, seed=1)).action.detach()
    log_prob, entropy = policy.log_prob(action), policy.entropy_before_squashing()
    old, advantage = log_prob.detach() + 0.3 * draw(64, seed=2), draw(64, seed=3)
    ratio = (log_prob - old).exp()
    clipped = ratio.clamp(0.8, 1.2)
    loss = -torch.minimum(ratio * advantage, clipped * advantage).mean() - 0.1 * entropy.mean()
    expected = torch.autograd.grad(loss, features)[0]
    with torch.no_grad():
        policy = TanhGaussian.from_features(features)
        arguments = (policy.log_prob(action), old, advantage, policy.entropy_before_squashing())
        wanted, metrics = policy_loss(*arguments, 0.2, 0.1)
        found = policy.gradient(action, wanted.log_prob, wanted.entropy)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(metrics["loss/actor"], loss.detach())
    assert 0.0 < float(metrics["policy/clip_fraction"]) < 1.0


def test_the_log_density_of_an_action_is_that_of_the_sample_it_was():
    policy = TanhGaussian.from_features(0.3 * draw(256, 2 * ACTION))
    sample = policy.sample(draw(256, ACTION, seed=1))
    torch.testing.assert_close(policy.log_prob(sample.action), sample.log_prob, rtol=0, atol=1e-3)


def test_an_update_moves_all_networks_and_reports_every_term():
    agent = learner(RewardConfig(), RewardConfig(normalise=True))
    data = batch(STEPS * WORLDS)
    before = [agent.actor.net.flat.clone(), agent.critics.net.flat.clone()]
    metrics = agent.update(data, whole())
    for old, net in zip(before, (agent.actor.net, agent.critics.net), strict=True):
        assert not torch.equal(old, net.flat)
    assert all(value.shape == () and value.isfinite() for value in metrics.values())
    assert {"loss/actor", "loss/critic/task1", "loss/reward/learned", "policy/kl"} <= set(metrics)
    assert float(metrics["scale/task1"]) != 1.0
    assert float(metrics["scale/task0"]) == 1.0


def test_a_reward_of_weight_zero_does_not_move_the_actor():
    data = batch(STEPS * WORLDS)
    alone, beside = learner(RewardConfig()), learner(RewardConfig(), RewardConfig(weight=0.0))
    start = alone.actor.net.flat.clone()
    # The critics of one and two rewards start from other draws: only values of zero are the same.
    for agent in (alone, beside):
        agent.critics.net.flat.zero_()
        agent.actor.net.flat.copy_(start)
        agent.generator.manual_seed(5)
        agent.config = PPOConfig(hidden_dim=16, epochs=1, minibatches=1)
        agent.update(data, whole())
    torch.testing.assert_close(alone.actor.net.flat, beside.actor.net.flat)
    assert not torch.allclose(alone.actor.net.flat, start)


def test_updates_stop_once_the_policy_has_moved_far_enough():
    data = batch(STEPS * WORLDS)
    bounded = learner(epochs=50, learning_rate=3e-3, target_kl=0.01).update(data, whole())
    free = learner(epochs=50, learning_rate=3e-3, target_kl=None).update(data, whole())
    assert float(bounded["policy/epochs"]) < float(free["policy/epochs"]) == 50.0


def test_a_saved_learner_goes_on_bit_for_bit():
    first, second = learner(), learner(seed=1)
    data = batch(STEPS * WORLDS)
    first.update(data, whole())
    second.load_state_dict(first.state_dict())
    for agent in (first, second):
        agent.update(batch(STEPS * WORLDS, seed=1), whole())
    assert torch.equal(first.actor.net.flat, second.actor.net.flat)
    assert torch.equal(first.critics.net.flat, second.critics.net.flat)
    with pytest.raises(ValueError, match="this one has"):
        learner(RewardConfig(), RewardConfig()).load_state_dict(first.state_dict())


def test_only_whole_rollouts_are_accepted():
    agent = learner()
    holed = whole()
    holed[2, 1] = False
    for valid in (None, holed, whole(STEPS - 1)):
        with pytest.raises(ValueError, match="whole rollouts"):
            agent.update(batch(STEPS * WORLDS), valid)


def test_an_end_and_a_new_skill_both_cut_the_advantages():
    agent = learner(lambda_=1.0)
    never = torch.zeros(STEPS * WORLDS, dtype=torch.bool)
    skill = SKILL.sample(WORLDS, torch.Generator().manual_seed(0)).repeat(STEPS, 1)
    changed = skill.clone().view(STEPS, WORLDS, -1)
    changed[4:] *= -1.0
    fields = {"terminated": never, "truncated": never}
    for switched, cut in ((skill, False), (changed.flatten(0, 1), True)):
        agent.critics.net.flat.zero_()
        data = batch(STEPS * WORLDS, skill=switched, **fields)
        rewards = torch.zeros(2, STEPS, WORLDS)
        rewards[:, 5] = 1.0
        target = agent._rollout(data, rewards.flatten(1), STEPS).target.view(2, STEPS, WORLDS)
        assert bool((target[:, 0] == 0).all()) == cut
        assert (target[:, 4] > 0).all()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_bandit_is_solved(precision: str):
    """One step, reward −‖a − tanh(o)‖²: the best action is tanh(o)."""
    term = RewardTerm(TaskReward(RewardContext(2, 2, NO_SKILL)), RewardConfig(discount=0.9))
    config = PPOConfig(hidden_dim=64, learning_rate=3e-3, precision=precision, target_kl=None)
    agent = MultiCriticPPO(2, 2, NO_SKILL, {"task": term}, config)
    generator = torch.Generator().manual_seed(0)
    none = torch.zeros(512, 0)
    ended = torch.ones(512, dtype=torch.bool)

    def reward(obs: Tensor, action: Tensor) -> Tensor:
        return -(action - obs.tanh()).square().sum(dim=-1)

    for _ in range(60):
        obs = torch.randn(512, 2, generator=generator)
        action = agent.act(obs, none)
        data = Transitions(obs, action, reward(obs, action), obs, ended, ~ended, none, {}, {})
        agent.update(data, whole(1, 512))
    obs = torch.randn(512, 2, generator=generator)
    learned = reward(obs, agent.act(obs, none, deterministic=True)).mean()
    random = reward(obs, 2 * torch.rand(512, 2, generator=generator) - 1).mean()
    assert float(random) < -1.0
    assert float(learned) > -0.05
