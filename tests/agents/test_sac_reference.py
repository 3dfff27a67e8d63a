"""The learner against a slow and obvious one: separate networks, autograd, torch's Adam."""

from __future__ import annotations

import copy

import pytest
import torch
from sac_cases import ACTION, FeatureReward, TaskReward, batch, learner
from torch import Tensor, nn
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from agents.learners import MultiCriticSAC
from rl_info.nn import StackedMLP
from rl_info.rewards import IntrinsicReward, RewardConfig
from rl_info.transitions import Transitions


def unstack(net: StackedMLP, member: int, rows: slice) -> nn.Sequential:
    """One member's network with some of its outputs, its first bias taken from the constant."""
    layers = net.layout.layers(net.flat)
    parts: list[nn.Module] = []

    def add(weight: Tensor, bias: Tensor | None) -> None:
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        linear.weight.data.copy_(weight)
        if bias is not None:
            linear.bias.data.copy_(bias)
        parts.append(linear)

    add(layers.input_weight[member].T, None)
    for weight, bias in zip(layers.weights, layers.biases, strict=True):
        parts.append(nn.ReLU())
        add(weight[member].T, bias[member, 0])
    parts.append(nn.ReLU())
    add(layers.output_weight[member, rows], layers.output_bias[member, rows, 0])
    return nn.Sequential(*parts)


def width(reward: IntrinsicReward) -> int:
    return reward.feature_dim if isinstance(reward, FeatureReward) else 1


def linear_form(reward: IntrinsicReward, data: Transitions) -> tuple[Tensor, Tensor]:
    """Columns that a critic sums up, and the weights that make a value of them."""
    if isinstance(reward, FeatureReward):
        return data.next_obs[:, : reward.feature_dim], data.skill
    return reward(data)[:, None], torch.ones(len(data.obs), 1)


class SlowSAC:
    """K rewards, each with its own pair of critics, and one update after the other in words.

    A critic of a reward that is linear in features has a column for each of them.
    """

    def __init__(self, fast: MultiCriticSAC, configs: list[RewardConfig]) -> None:
        self.configs, self.settings = configs, fast.config
        self.generator = torch.Generator()
        self.generator.set_state(fast.generator.get_state())
        self.actor = unstack(fast.actor.net, 0, slice(None))
        net = fast.critics.net
        self.rewards = list(fast.rewards.values())
        alone = fast.config.critic_sharing == "none"
        self.critics = [
            [
                unstack(net, e * len(configs) + k, slice(0, columns)) if alone
                else unstack(net, e, slice(k, k + columns))
                for e in range(fast.config.ensemble_size)
            ]
            for k, columns in enumerate(map(width, self.rewards))
        ]  # fmt: skip
        self.targets = copy.deepcopy(self.critics)
        self.log_alpha = nn.Parameter(fast.temperature.log.detach().clone())
        critics = [p for pair in self.critics for critic in pair for p in critic.parameters()]
        self.adams = [
            torch.optim.Adam(parameters, lr=3e-4)
            for parameters in (critics, self.actor.parameters(), [self.log_alpha])
        ]

    def policy(self, state: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = self.actor(state).chunk(2, dim=-1)
        normal = Normal(mean, (-5.0 + 3.5 * (raw.tanh() + 1.0)).exp())
        squashed = TransformedDistribution(Independent(normal, 1), TanhTransform(cache_size=1))
        action = squashed.transforms[0](normal.loc + normal.scale * noise)
        return action, squashed.log_prob(action)

    def step(self, adam: int, loss: Tensor) -> None:
        self.adams[adam].zero_grad()
        loss.backward()
        self.adams[adam].step()

    def update(self, data: Transitions) -> None:
        one = torch.ones(len(data.obs), 1)
        state = torch.cat([data.obs, data.skill, one], dim=-1)
        next_state = torch.cat([data.next_obs, data.skill, one], dim=-1)
        noise, next_noise = torch.randn((2 * len(one), ACTION), generator=self.generator).chunk(2)
        alpha = self.log_alpha.exp().detach()
        weights = sum(config.weight for config in self.configs)
        with torch.no_grad():
            next_action, next_log_prob = self.policy(next_state, next_noise)
        loss = torch.zeros(())
        for k, config in enumerate(self.configs):
            columns, weight = linear_form(self.rewards[k], data)
            with torch.no_grad():
                inputs = torch.cat([next_state, next_action], dim=-1)
                each = torch.stack([target(inputs) for target in self.targets[k]])
                least = (each * weight).sum(dim=-1).argmin(dim=0)
                bootstrap = each[least, torch.arange(len(least))]
                if isinstance(self.rewards[k], TaskReward):
                    bootstrap = bootstrap - alpha / weights * next_log_prob[:, None]
                goes_on = ~data.terminated[:, None]
                wanted = columns + config.discount * goes_on * bootstrap
            for critic in self.critics[k]:
                found = critic(torch.cat([state, data.action], dim=-1))
                loss = loss + 0.5 * (found - wanted).square().sum(dim=-1).mean()
        self.step(0, loss)
        action, log_prob = self.policy(state, noise)
        objective = torch.zeros(())
        for config, reward, pair in zip(self.configs, self.rewards, self.critics, strict=True):
            weight = linear_form(reward, data)[1]
            inputs = torch.cat([state, action], dim=-1)
            values = [(critic(inputs) * weight).sum(dim=-1) for critic in pair]
            objective = objective + config.weight * torch.stack(values).min(dim=0).values
        self.step(1, (alpha * log_prob - objective).mean())
        gap = -log_prob.detach().mean() + self.settings.target_entropy_scale * ACTION
        self.step(2, self.log_alpha.exp() * gap)
        for pair, targets in zip(self.critics, self.targets, strict=True):
            for critic, target in zip(pair, targets, strict=True):
                for new, old in zip(critic.parameters(), target.parameters(), strict=True):
                    old.data.lerp_(new.data, self.settings.tau)


def outputs(fast: MultiCriticSAC, slow: SlowSAC, probe: Transitions) -> list[tuple[Tensor, Tensor]]:
    """What both learners say of the same states and actions."""
    state = torch.cat([probe.obs, probe.skill, torch.ones(len(probe.obs), 1)], dim=-1)
    inputs = torch.cat([state, probe.action], dim=-1)

    def values(critics: list[list[nn.Sequential]]) -> Tensor:
        return torch.cat([torch.stack([c(inputs).T for c in pair]) for pair in critics], dim=1)

    count = fast.terms.outputs
    used = [k * count + i for k, each in enumerate(slow.rewards) for i in range(width(each))]
    return [
        (fast.actor.net(state)[0].T, slow.actor(state)),
        (fast.critics.run(state, probe.action).outputs[:, used], values(slow.critics)),
        (fast.target_critics.run(state, probe.action).outputs[:, used], values(slow.targets)),
        (fast.temperature(), slow.log_alpha.exp()),
    ]


Case = tuple[list[RewardConfig], str, RewardConfig | None]
CASES: dict[str, Case] = {
    "one reward is plain soft actor-critic": ([RewardConfig()], "trunk", None),
    "one reward, no sharing": ([RewardConfig(discount=0.9)], "none", None),
    "two separate critics": (
        [RewardConfig(weight=0.5), RewardConfig(weight=2.0, discount=0.8)], "none", None,
    ),
    "successor features beside a value": (
        [RewardConfig(weight=0.5)], "none", RewardConfig(weight=2.0, discount=0.8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_updates_equal_the_slow_reference(name):
    configs, sharing, features = CASES[name]
    fast = learner(*configs, critic_sharing=sharing, hidden_dim=32, features=features)
    for k, reward in enumerate(fast.rewards.values()):
        reward.factor = k + 1.0
    slow = SlowSAC(fast, configs + ([] if features is None else [features]))
    for seed in range(10):
        data = batch(64, seed=seed)
        fast.update(data)
        slow.update(data)
    with torch.no_grad():
        for found, expected in outputs(fast, slow, batch(50, seed=99)):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_shared_trunk_starts_with_the_values_of_its_heads():
    configs = [RewardConfig(), RewardConfig()]
    fast = learner(*configs, critic_sharing="trunk")
    pairs = outputs(fast, SlowSAC(fast, configs), batch(50))
    for found, expected in pairs:
        torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-6)
