"""Multi-critic soft actor-critic: one learner, a list of named rewards, one critic each."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from agents.learners import losses, optimisers
from agents.learners.actor import Actor
from agents.learners.config import SACConfig
from agents.learners.critics import CriticStack
from agents.learners.losses import Metrics, Objective
from agents.learners.returns import n_step_return
from agents.learners.reward_term import RewardTerm
from agents.learners.temperature import Temperature
from rl_info.nn import RunningNormaliser, RunningScale
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class _Experience:
    """What the critics learn from: B states with the rewards up to their bootstrap states."""

    state: Float[Tensor, "B X"]
    action: Float[Tensor, "B A"]
    next_state: Float[Tensor, "B X"]
    reward: Float[Tensor, "K B"]
    discount: Float[Tensor, "K B"]


class MultiCriticSAC:
    """Soft actor-critic whose actor maximises Σ_k weight_k · Q_k / scale_k plus one entropy.

    Each of the K rewards has its own critic ensemble, discount, weight and, if its config asks for
    it, a running scale of its targets. With a single reward of weight 1 this is exactly the
    algorithm of Haarnoja et al. (arXiv 1812.05905). One critic per reward follows SLIM
    (arXiv 2402.00823), whose advantages are normalised per critic before they are weighted.

    The state of actor and critics is the (normalised) observation beside the skill. All random
    numbers come from a generator seeded with `seed`.

    Raises ValueError if there is no reward or all weights are 0.
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
    ) -> None:
        configs = [term.config for term in rewards.values()]
        if sum(reward.weight for reward in configs) <= 0:
            raise ValueError("at least one reward with a positive weight is needed")
        self.config = config
        self.device = torch.device(device)
        self.names = tuple(rewards)
        self.shape = {"obs": obs_dim, "action": action_dim, "skill": skill.dim}
        self.target_entropy = -config.target_entropy_scale * action_dim
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.updates = 0

        state_dim = obs_dim + skill.dim
        self.normaliser = RunningNormaliser(obs_dim).to(self.device)
        self.rewards = {name: term.module.to(self.device) for name, term in rewards.items()}
        self.actor = Actor(state_dim, action_dim, config, self.generator)
        self.critics = CriticStack(state_dim, action_dim, len(rewards), config, self.generator)
        self.target_critics = copy.deepcopy(self.critics).requires_grad_(False)
        self.temperature = Temperature(config.initial_temperature).to(self.device)
        self.scale = RunningScale(
            torch.tensor([reward.normalise for reward in configs]), config.scale_rate
        ).to(self.device)
        self._weight = torch.tensor([reward.weight for reward in configs], device=self.device)
        self._discount = torch.tensor([reward.discount for reward in configs], device=self.device)
        self.optimisers = self._build_optimisers(rewards)

    def _build_optimisers(self, rewards: Mapping[str, RewardTerm]) -> dict[str, torch.optim.Adam]:
        config = self.config
        rates = {
            "critics": (self.critics.parameters(), config.critic_learning_rate),
            "actor": (self.actor.parameters(), config.actor_learning_rate),
            "temperature": (self.temperature.parameters(), config.temperature_learning_rate),
        }
        for name, term in rewards.items():
            if any(parameter.requires_grad for parameter in term.module.parameters()):
                rates[f"reward/{name}"] = (term.module.parameters(), term.config.learning_rate)
        return {name: optimisers.adam([group], config.adam_betas) for name, group in rates.items()}

    @torch.no_grad()
    def act(
        self,
        obs: Float[Tensor, "N O"],
        skill: Float[Tensor, "N Z"],
        deterministic: bool = False,
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1], float32; the mode of the policy if `deterministic`."""
        policy = self.actor(self._state(obs, skill))
        return policy.mode() if deterministic else policy.sample(self._noise(len(obs)))[0]

    def observe(self, obs: Float[Tensor, "N O"]) -> None:
        """Let newly collected observations count in the running mean and variance."""
        if self.config.normalise_observations:
            self.normaliser.observe(obs.to(self.device))

    def update(
        self, batch: Transitions, valid: Bool[Tensor, "T B"] | None = None
    ) -> dict[str, Tensor]:
        """Learn from one batch: rewards, critics, actor, temperature, then the targets.

        With `n_step` 1 the batch holds B steps. Otherwise it holds T = n_step consecutive steps of
        B sequences, time-major (row t·B + b), and `valid` tells which of them belong to the
        episode and skill of their first step.

        Returns detached scalars, without waiting for them: `loss/…`, `value/<reward>`,
        `reward/<reward>`, `scale/<reward>`, `policy/entropy` (nats), `policy/temperature`,
        `gradient_norm/…`. Raises ValueError if `valid` does not fit `n_step`.
        """
        rewards, metrics = self._learn_rewards(batch)
        experience = self._experience(batch, rewards, valid)
        metrics |= self._learn_critics(experience)
        metrics |= self._learn_actor(experience.state)
        with torch.no_grad():
            self.target_critics.net.flat.lerp_(self.critics.net.flat, self.config.tau)
        self.updates += 1
        return metrics

    def _learn_rewards(self, batch: Transitions) -> tuple[Float[Tensor, "K R"], Metrics]:
        metrics: Metrics = {}
        values = []
        for name, reward in self.rewards.items():
            loss, details = reward.loss(batch)
            metrics |= {f"reward/{name}/{key}": value for key, value in details.items()}
            if f"reward/{name}" in self.optimisers:
                optimisers.step(self.optimisers[f"reward/{name}"], loss)
                metrics[f"loss/reward/{name}"] = loss.detach()
            with torch.no_grad():
                values.append(reward(batch))
            metrics[f"reward/{name}"] = values[-1].mean()
        return torch.stack(values), metrics

    def _experience(
        self,
        batch: Transitions,
        rewards: Float[Tensor, "K R"],
        valid: Bool[Tensor, "T B"] | None,
    ) -> _Experience:
        steps = self.config.n_step
        if steps == 1 and valid is None:
            state = self._state(batch.obs, batch.skill)
            next_state = self._state(batch.next_obs, batch.skill)
            discount = self._discount[:, None] * ~batch.terminated
            return _Experience(state, batch.action, next_state, rewards, discount)
        if valid is None or len(valid) != steps or valid.numel() != len(batch.obs):
            raise ValueError(
                f"with n_step={steps}, update needs {steps}·B steps and a ({steps}, B) mask `valid`"
            )
        sequences = valid.shape[1]
        terminated = batch.terminated.view(steps, sequences)
        summed = n_step_return(
            rewards.view(-1, steps, sequences), self._discount, terminated, valid
        )
        row = summed.last * sequences + torch.arange(sequences, device=summed.last.device)
        skill = batch.skill[:sequences]
        return _Experience(
            self._state(batch.obs[:sequences], skill),
            batch.action[:sequences],
            self._state(batch.next_obs[row], skill),
            summed.reward,
            summed.discount,
        )

    def _learn_critics(self, experience: _Experience) -> Metrics:
        objective = self._objective()
        with torch.no_grad():
            noise = self._noise(len(experience.action))
            action, log_prob = self.actor(experience.next_state).sample(noise)
            target = losses.soft_target(
                experience.reward,
                experience.discount,
                self.target_critics(experience.next_state, action),
                log_prob,
                self.temperature(),
                objective,
            )
        values = self.critics(experience.state, experience.action)
        loss, metrics = losses.critic_loss(values, target, objective)
        norm = optimisers.step(
            self.optimisers["critics"], loss, self.critics.net.flat, self.config.max_grad_norm
        )
        self.scale.observe(target)
        metrics["gradient_norm/critics"] = norm
        for name, scale in zip(self.names, objective.scale, strict=True):
            metrics[f"scale/{name}"] = scale
        return metrics

    def _learn_actor(self, state: Float[Tensor, "B X"]) -> Metrics:
        action, log_prob = self.actor(state).sample(self._noise(len(state)))
        values = self.critics(state, action, frozen=True)
        temperature = self.temperature().detach()
        loss, metrics = losses.actor_loss(values, log_prob, temperature, self._objective())
        norm = optimisers.step(
            self.optimisers["actor"], loss, self.actor.net.flat, self.config.max_grad_norm
        )
        metrics |= {"gradient_norm/actor": norm, "policy/temperature": temperature}
        if self.config.learn_temperature:
            loss, details = losses.temperature_loss(
                self.temperature(), log_prob, self.target_entropy
            )
            optimisers.step(self.optimisers["temperature"], loss)
            metrics |= details
        return metrics

    def _objective(self) -> Objective:
        return Objective(self.names, self._weight, self.scale())

    def _state(self, obs: Tensor, skill: Tensor) -> Float[Tensor, "B X"]:
        if self.config.normalise_observations:
            obs = self.normaliser(obs)
        return torch.cat([obs, skill], dim=-1)

    def _noise(self, count: int) -> Float[Tensor, "B A"]:
        size = (count, self.shape["action"])
        return torch.randn(size, generator=self.generator, device=self.device)

    def _modules(self) -> nn.ModuleDict:
        return nn.ModuleDict(
            {
                "actor": self.actor,
                "critics": self.critics,
                "target_critics": self.target_critics,
                "temperature": self.temperature,
                "normaliser": self.normaliser,
                "scale": self.scale,
                "rewards": nn.ModuleDict(self.rewards),
            }
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on, as tensors and plain containers.

        The tensors are those of the learner, not copies: save them before the next update.
        """
        return {
            "shape": dict(self.shape),
            "rewards": list(self.names),
            "modules": self._modules().state_dict(),
            "optimisers": {name: each.state_dict() for name, each in self.optimisers.items()},
            "generator": self.generator.get_state(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises ValueError if it is of other sizes or rewards, RuntimeError if networks differ.
        """
        shape, names = state["shape"], tuple(state["rewards"])
        if (shape, names) != (self.shape, self.names):
            raise ValueError(
                f"the saved learner has sizes {shape} and rewards {', '.join(names)}; "
                f"this one has {self.shape} and {', '.join(self.names)}"
            )
        self._modules().load_state_dict(state["modules"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.generator.set_state(state["generator"].cpu())
        self.updates = state["updates"]
