"""Multi-critic proximal policy optimisation: the on-policy learner, for thousands of worlds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agents.learners import losses
from agents.learners.acting import ActingAgent
from agents.learners.advantages import generalised_advantages, weighted_sum
from agents.learners.critics import CriticStack
from agents.learners.losses import Metrics, Objective
from agents.learners.ppo_config import PPOConfig
from agents.learners.ppo_losses import policy_loss
from agents.learners.reward_term import RewardTerm
from agents.learners.rollout import Rollout
from agents.learners.saved_state import LearnerParts
from rl_info.nn import FlatAdam
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions


class MultiCriticPPO:
    """Proximal policy optimisation of Σ_k weight_k (A_k − μ_k) / σ_k, one critic for each reward.

    The advantages of each reward are estimated with its own critic and discount and standardised
    over the rollout before they are weighted: never one critic on the sum of rewards (SLIM, arXiv
    2402.00823; the clipped objective of Schulman et al., arXiv 1707.06347). The multi-critic
    method with skill discovery, reach and safety rewards is the subject of US patent 12,393,175 B2.

    The state of actor and critics is the (normalised) observation, the skill and a constant 1. With
    `commandable_weights`, skills have K columns more, by which each step weights its advantages,
    standardised over the rollout as ever (see `RewardSet`). All random numbers come from a
    generator seeded with `seed`.

    Raises ValueError if there is no reward or all weights are 0, or as `RewardSet` does.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        skill: SkillSpec,
        rewards: Mapping[str, RewardTerm],
        config: PPOConfig,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        commandable_weights: bool = False,
    ) -> None:
        self.config = config
        self.updates = 0
        self.actor_rests = False
        """Whether updates leave the actor as it is."""
        agent = ActingAgent.build(
            obs_dim, action_dim, skill, rewards, config, seed, device, commandable_weights
        )
        self._agent = agent
        self.terms, self.state, self.scale = agent.terms, agent.state, agent.scale
        self.actor, self.shape = agent.actor, agent.shape
        self.generator, self.device = agent.generator, agent.device
        self.critics = CriticStack(
            self.state.width, 0, len(self.terms), 1, config, self.generator, self.terms.outputs
        )
        self._no_action = torch.empty(1, 0, device=self.device)
        self.optimisers = {
            name: FlatAdam(
                network.flat, config.learning_rate, config.adam_betas, max_norm=config.max_grad_norm
            )
            for name, network in (("actor", self.actor.net), ("critics", self.critics.net))
        }

    @property
    def rewards(self) -> dict[str, IntrinsicReward]:
        """The reward modules by name."""
        return self.terms.modules

    def act(
        self,
        obs: Float[Tensor, "N O"],
        skill: Float[Tensor, "N Z"],
        deterministic: bool = False,
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1], float32; the mode of the policy if `deterministic`."""
        return self._agent.act(obs, skill, deterministic)

    def observe(self, obs: Float[Tensor, "N O"]) -> None:
        """Nothing: the statistics take in a rollout once it has been learned from.

        Until then they stay as they were when its actions were chosen.
        """

    def update(
        self, batch: Transitions, valid: Bool[Tensor, "T N"] | None = None
    ) -> dict[str, Tensor]:
        """Learn from a rollout: the newest T steps of N worlds, time-major (row t·N + n).

        `valid` gives the shape and must be True everywhere. The policy must not have changed since
        the rollout began. Rewards value the rollout as it came, then learn from its minibatches.

        Returns detached scalars, means over the minibatches: `loss/…`, `value/<reward>`,
        `reward/<reward>`, `scale/<reward>`, `policy/entropy` (nats, before squashing), `policy/kl`
        (nats), `policy/clip_fraction`, `policy/epochs`, `gradient_norm/…`; without those of the
        actor while it rests. Raises ValueError without `valid` or with a step that is not.
        """
        if valid is None or valid.numel() != len(batch.obs) or not bool(valid.all()):
            raise ValueError("PPO needs whole rollouts: T·N steps and a (T, N) mask of True")
        cumulants = self.terms.cumulants(batch)
        rollout = self._rollout(batch, cumulants, len(valid))
        sums: Metrics = {}
        minibatches = 0
        size = -(-len(batch.obs) // self.config.minibatches)
        for _ in range(self.config.epochs):
            order = torch.randperm(len(batch.obs), generator=self.generator, device=self.device)
            parts = order.split(size)
            means = self._epoch(batch, rollout, parts)
            for name, value in means.items():
                sums[name] = sums.get(name, 0.0) + value
            minibatches += len(parts)
            limit = self.config.target_kl
            kl = means.get("policy/kl")
            if limit is not None and kl is not None and float(kl) > limit * len(parts):
                break
        self.updates += 1
        self.state.observe(batch.obs)
        metrics = {name: value / minibatches for name, value in sums.items()}
        metrics["policy/epochs"] = torch.tensor(minibatches / len(parts))
        rewards = rollout.readout.values(cumulants).mean(dim=1)
        metrics |= losses.by_name("reward/", self.terms.names, rewards)
        return metrics | losses.by_name("scale/", self.terms.names, self.scale())

    @torch.inference_mode()
    def _rollout(self, batch: Transitions, cumulants: Float[Tensor, "P B"], length: int) -> Rollout:
        """Values, advantages and log densities under the networks as they are.

        An estimate of advantage is linear, and a skill lasts until it is cut: the advantage of a
        reward that is linear in features is read from those of its features.
        """
        state = self.state(batch.obs, batch.skill)
        following = self.state(batch.next_obs, batch.skill)
        value, next_value = (self._outputs(each) for each in (state, following))
        shape = (length, -1)
        skill = batch.skill.unflatten(0, shape)
        ended = (batch.terminated | batch.truncated).view(shape)
        ended[:-1] |= (skill[1:] != skill[:-1]).any(dim=-1)
        advantage = generalised_advantages(
            cumulants.unflatten(1, shape),
            value.unflatten(1, shape),
            next_value.unflatten(1, shape),
            self.terms.discount,
            batch.terminated.view(shape),
            ended,
            self.config.lambda_,
        ).flatten(1)
        target = value + advantage
        readout = self.terms.readout(batch.skill)
        self.scale.observe(readout.values(target))
        return Rollout(
            state,
            batch.action,
            self.actor(state).log_prob(batch.action),
            weighted_sum(readout.values(advantage), self.terms.weights(batch.skill)),
            target,
            readout,
        )

    def _outputs(self, state: Float[Tensor, "B X"]) -> Float[Tensor, "P B"]:
        return self.critics.run(state, self._no_action.expand(len(state), 0)).outputs[0]

    def _epoch(
        self, batch: Transitions, rollout: Rollout, parts: tuple[Int[Tensor, " _M"], ...]
    ) -> Metrics:
        """One pass over the rollout; returns sums over its minibatches."""
        sums: Metrics = {}
        objective = Objective(self.terms.names, self.terms.weight, self.scale())
        for rows in parts:
            metrics = self.terms.learn(batch.rows(rows))
            with torch.inference_mode():
                metrics |= self._learn_critics(rollout, rows, objective)
                if not self.actor_rests:
                    metrics |= self._learn_actor(rollout, rows)
            for name, value in metrics.items():
                sums[name] = sums.get(name, 0.0) + value
        return sums

    def _learn_critics(
        self, rollout: Rollout, rows: Int[Tensor, " M"], objective: Objective
    ) -> Metrics:
        current = self.critics.run(rollout.state[rows], self._no_action.expand(len(rows), 0))
        target, readout = rollout.target[:, rows], rollout.readout.rows(rows)
        outputs, metrics = losses.critic_loss(current.outputs, target, objective, readout)
        gradient = self.critics.gradient(current, outputs)
        norm = self.optimisers["critics"].step(gradient, rounded=self.critics.net.rounded)
        return metrics | {"gradient_norm/critics": norm}

    def _learn_actor(self, rollout: Rollout, rows: Int[Tensor, " M"]) -> Metrics:
        tape = self.actor.net.run(rollout.state[rows])
        policy, action = self.actor.distribution(tape), rollout.action[rows]
        wanted, metrics = policy_loss(
            policy.log_prob(action),
            rollout.log_prob[rows],
            rollout.advantage[rows],
            policy.entropy_before_squashing(),
            self.config.clip,
            self.config.entropy_coefficient,
        )
        features = policy.gradient(action, wanted.log_prob, wanted.entropy)
        gradient = self.actor.net.gradient(tape, features.T[None])
        norm = self.optimisers["actor"].step(gradient, rounded=self.actor.net.rounded)
        return metrics | {"gradient_norm/actor": norm}

    def _parts(self) -> LearnerParts:
        return self._agent.parts({"critics": self.critics}, self.optimisers)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on; see `LearnerParts.state_dict`."""
        return self._parts().state_dict(self.updates)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises ValueError if it is of other sizes or rewards, RuntimeError if networks differ.
        """
        self.updates = self._parts().load_state_dict(state)
