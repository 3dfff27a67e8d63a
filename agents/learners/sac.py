"""Multi-critic soft actor-critic: one learner, a list of named rewards, one critic each."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from agents.learners import losses
from agents.learners.acting import ActingAgent
from agents.learners.actor import ActorPass
from agents.learners.config import SACConfig
from agents.learners.critics import CriticStack
from agents.learners.experience import Experience, experience_of, require_windows
from agents.learners.freed_memory import keep_freed_blocks
from agents.learners.losses import Metrics, Objective
from agents.learners.readout import Readout
from agents.learners.reward_term import RewardTerm
from agents.learners.saved_state import LearnerParts
from agents.learners.temperature import Temperature
from rl_info.nn import FlatAdam
from rl_info.nn.tanh_gaussian import SquashedSample
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions


class MultiCriticSAC:
    """Soft actor-critic whose actor maximises Σ_k weight_k · Q_k / scale_k plus one entropy.

    Each of the K rewards has its own critic ensemble, discount, weight and, if its config asks for
    it, a running scale of its targets. With a single reward of weight 1 this is exactly the
    algorithm of Haarnoja et al. (arXiv 1812.05905). One critic per reward follows SLIM
    (arXiv 2402.00823), whose advantages are normalised per critic before they are weighted. The
    critics of a reward that is linear in features (`LinearReward`) learn successor features ψ with
    Q = ψᵀw; see `losses.soft_target`.

    Actor and critics see the state of `ActingAgent`. With `commandable_weights`, skills have K
    columns more, by which each step weights its values and shares out its entropy (see
    `RewardSet`). All random numbers come from a generator seeded with `seed`. Raises ValueError
    if there is no reward or all weights are 0, or as `RewardSet` does.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        skill: SkillSpec,
        rewards: Mapping[str, RewardTerm],
        config: SACConfig,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        commandable_weights: bool = False,
    ) -> None:
        self.config = config
        self.target_entropy = -config.target_entropy_scale * action_dim
        self.updates = 0
        self.actor_rests = False
        """Whether updates leave actor and temperature as they are."""
        self._agent = agent = ActingAgent.build(
            obs_dim, action_dim, skill, rewards, config, seed, device, commandable_weights
        )
        self.terms, self.state, self.scale = agent.terms, agent.state, agent.scale
        self.actor, self.shape = agent.actor, agent.shape
        self.generator, self.device = agent.generator, agent.device
        self._renew_objective()
        self.critics = CriticStack(
            self.state.width, action_dim, len(self.terms), config.ensemble_size, config,
            self.generator, self.terms.outputs,
        )  # fmt: skip
        self.target_critics = copy.deepcopy(self.critics)
        self.target_critics.net.refresh()
        self.temperature = Temperature(config.initial_temperature).to(self.device)
        clip = config.max_grad_norm
        self.optimisers = {
            name: FlatAdam(parameter, rate, config.adam_betas, max_norm=clip)
            for name, parameter, rate, clip in (
                ("critics", self.critics.net.flat, config.critic_learning_rate, clip),
                ("actor", self.actor.net.flat, config.actor_learning_rate, clip),
                ("temperature", self.temperature.log, config.temperature_learning_rate, None),
            )
        }
        keep_freed_blocks()

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
        """Let newly collected observations count in the running mean and variance."""
        self.state.observe(obs)

    def update(
        self, batch: Transitions, valid: Bool[Tensor, "T B"] | None = None
    ) -> dict[str, Tensor]:
        """Learn from one batch: rewards, critics, actor, temperature, then the targets.

        With `n_step` 1 the batch holds B steps. Otherwise it holds T = n_step consecutive steps of
        B sequences, time-major (row t·B + b), and `valid` tells which of them belong to the
        episode and skill of their first step. Rewards learn from first steps only.

        Returns detached scalars, without waiting for them: `loss/…`, `value/<reward>`,
        `reward/<reward>`, `scale/<reward>`, `policy/entropy` (nats), `policy/temperature`,
        `gradient_norm/…`; without those of the actor while it rests. Raises ValueError if `valid`
        does not fit `n_step`.
        """
        require_windows(len(batch.obs), valid, self.config.n_step)
        # Later steps of a window may be void; its first step never is.
        size = len(batch.obs) // self.config.n_step
        metrics = self.terms.learn(batch if valid is None else batch.rows(slice(size)))
        cumulants, discount = self.terms.cumulants(batch), self.terms.discount
        experience = experience_of(batch, cumulants, discount, valid)
        with torch.inference_mode():
            readout = self.terms.readout(experience.skill)
            rewards = readout.values(cumulants[:, :size])
            metrics |= losses.by_name("reward/", self.terms.names, rewards.mean(dim=1))
            metrics |= self._learn(experience, readout)
        self.updates += 1
        return metrics

    def _learn(self, experience: Experience, readout: Readout) -> Metrics:
        size = len(experience.obs)
        states = self.state(
            torch.cat([experience.obs, experience.next_obs]),
            torch.cat([experience.skill, experience.skill]),
        )
        # Neither the actor nor its noise depends on the critics: one pass for both states.
        policy = self.actor.run(states, self._agent.noise(2 * size))
        following = policy.sample.rows(slice(size, None))
        metrics = self._learn_critics(experience, states, following, readout)
        if self.scale.any_enabled:
            self._renew_objective()
        objective = self._objective_of(experience)
        if not self.actor_rests:
            metrics |= self._learn_actor(states[:size], policy.first(size), objective, readout)
        return metrics | losses.by_name("scale/", self.terms.names, self._objective.scale[:, 0])

    def _learn_critics(
        self,
        experience: Experience,
        states: Float[Tensor, "twoB X"],
        following: SquashedSample,
        readout: Readout,
    ) -> Metrics:
        state, next_state = states.chunk(2)
        objective = self._objective_of(experience)
        target = losses.soft_target(
            experience.reward, experience.discount,
            self.target_critics.run(next_state, following.action).outputs,
            following.log_prob, self.temperature(), objective, readout,
        )  # fmt: skip
        current = self.critics.run(state, experience.action)
        outputs, metrics = losses.critic_loss(current.outputs, target, objective, readout)
        net, target_net = self.critics.net, self.target_critics.net
        metrics["gradient_norm/critics"] = self.optimisers["critics"].step(
            self.critics.gradient(current, outputs), target_net.flat, self.config.tau,
            net.rounded, target_net.rounded,
        )  # fmt: skip
        self.scale.observe(readout.values(target))
        return metrics

    def _learn_actor(
        self,
        state: Float[Tensor, "B X"],
        policy: ActorPass,
        objective: Objective,
        readout: Readout,
    ) -> Metrics:
        judged = self.critics.run(state, policy.sample.action)
        log_prob, temperature = policy.sample.log_prob, self.temperature()
        values = readout.values(judged.outputs)
        wanted, metrics = losses.actor_loss(values, log_prob, temperature, objective)
        action = self.critics.action_gradient(judged, wanted.member, wanted.value, readout)
        gradient = self.actor.gradient(policy, action, wanted.log_prob)
        metrics["policy/temperature"] = temperature
        metrics["gradient_norm/actor"] = self.optimisers["actor"].step(
            gradient, rounded=self.actor.net.rounded
        )
        if self.config.learn_temperature:
            slope, details = losses.temperature_loss(
                temperature, metrics["policy/entropy"], self.target_entropy
            )
            self.optimisers["temperature"].step(slope)
            metrics |= details
        return metrics

    def _renew_objective(self) -> None:
        """Let the newest scales count."""
        self._objective = Objective(self.terms.names, self.terms.weight, self.scale())

    def _objective_of(self, experience: Experience) -> Objective:
        if not self.terms.commands:
            return self._objective
        return Objective(self.terms.names, self.terms.weights(experience.skill), self.scale())

    def _parts(self) -> LearnerParts:
        modules = {
            "critics": self.critics,
            "target_critics": self.target_critics,
            "temperature": self.temperature,
        }
        return self._agent.parts(modules, self.optimisers)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on; see `LearnerParts.state_dict`."""
        return self._parts().state_dict(self.updates)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises ValueError if it is of other sizes or rewards, RuntimeError if networks differ.
        """
        self.updates = self._parts().load_state_dict(state)
        self._renew_objective()
