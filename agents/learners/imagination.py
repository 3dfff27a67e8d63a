"""Multi-critic actor-critic in the imagination of a world model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from agents.learners.imagination_config import ImaginationConfig
from agents.learners.imagination_losses import combined_advantage, imagined_returns, score_loss
from agents.learners.latent_actor import LatentActor
from agents.learners.latent_critics import LatentCritics
from agents.learners.latent_empowerment import with_model
from agents.learners.latent_steps import Imagined, imagine, replayed_steps
from agents.learners.losses import Metrics, by_name
from agents.learners.model_training import ModelTraining
from agents.learners.perception import Perception
from agents.learners.reward_set import RewardSet
from agents.learners.reward_term import RewardTerm
from agents.learners.saved_state import LearnerParts, learner_shape
from agents.learners.sequences import Sequences
from agents.learners.state_vector import StateVector
from rl_info.dynamics import Latent, ObservationSpec, WorldModel
from rl_info.nn import FlatAdam, RunningScale
from rl_info.nn.truncated_normal import TruncatedNormal
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec


class ImaginationLearner:
    """Actor-critic learning of Σ_k weight_k A_k / scale_k on imagined steps, one critic per reward.

    An update teaches the world model a batch of sequences, then the rewards the same steps between
    posterior features, and then actor and critics what follows when the policy acts in the prior
    from every posterior state. Each reward has its own critic, discount, λ-returns and running
    range of returns (DreamerV3, arXiv 2301.04104, has one). Rewards see features [h, z] as
    observations; those that read side signals get what heads predict of them; the task reward is
    the model's reward head; `empowerment` is the objective's own where it tells actions.

    Actor and critics see the feature, the skill and a constant 1; an imagined episode keeps the
    skill of the step it starts from. The gradient of the actor is that of the score of its draws,
    and neither it nor the critics' reaches the world model. Unlike DreamerV3, critics learn from
    imagined steps alone; the state before a sequence is zeros, not what was stored with it; a step
    weighs what it is likely to be taken, without the discount, which differs between critics. All
    returns are scaled: `normalise` of a reward changes nothing here.

    `act` chooses actions from features: `Perception` makes them of observations. All random numbers
    come from generators seeded with `seed`. Raises ValueError as `RewardSet` and `WorldModel` do.
    """

    def __init__(
        self,
        observation: int | tuple[int, ...],
        action_dim: int,
        skill: SkillSpec,
        rewards: Mapping[str, RewardTerm],
        config: ImaginationConfig,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        commandable_weights: bool = False,
    ) -> None:
        """For images (H, W, C) or vectors (O,), whose width alone will do."""
        self.config = config
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.updates = 0
        shape = (observation,) if isinstance(observation, int) else observation
        initial = torch.Generator().manual_seed(seed)
        model = WorldModel(ObservationSpec(shape), action_dim, config.world_model, initial)
        terms = {name: with_model(term, model) for name, term in rewards.items()}
        self.model = ModelTraining(model, needed_signals(terms), config, initial).to(self.device)
        self.terms = RewardSet(
            terms,
            config.adam_betas,
            self.device,
            config.sum_rewards,
            skill.dim if commandable_weights else None,
        )
        feature_dim = model.rssm.size.feature
        self.state = StateVector(feature_dim, skill.dim + self.terms.commands, False, self.device)
        self.shape = {
            **learner_shape(feature_dim, action_dim, skill.dim, self.terms),
            **{f"observation_{axis}": size for axis, size in enumerate(shape)},
        }
        each = torch.ones(len(self.terms), dtype=torch.bool, device=self.device)
        self.scale = RunningScale(each, config.scale_rate, config.least_scale).to(self.device)
        self.actor = LatentActor(self.state.width, action_dim, config, self.generator)
        self.critics = LatentCritics(
            self.state.width, len(self.terms), self.terms.outputs, config, self.generator
        ).to(self.device)
        self.optimisers = {
            name: FlatAdam(net.flat, rate, config.adam_betas, max_norm=config.max_grad_norm)
            for name, net, rate in (
                ("actor", self.actor.net, config.actor_learning_rate),
                ("critics", self.critics.stack.net, config.critic_learning_rate),
            )
        }

    @property
    def rewards(self) -> dict[str, IntrinsicReward]:
        """The reward modules by name."""
        return self.terms.modules

    def perception(self, seed: int) -> Perception:
        """A memory of observations that turns them into the features which `act` reads."""
        return Perception(self.model.model, self.device, seed)

    @torch.no_grad()
    def act(
        self,
        obs: Float[Tensor, "N F"],
        skill: Float[Tensor, "N Z"],
        deterministic: bool = False,
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1] for features, float32; the policy's mode if `deterministic`."""
        policy = self._policy(obs, skill)
        if deterministic:
            return policy.mean
        size = policy.mean.shape
        return policy.sample(torch.rand(size, generator=self.generator, device=self.device))

    def observe(self, obs: Tensor) -> None:
        """Nothing: there are no statistics of observations."""

    def update(self, batch: Sequences, valid: None = None) -> dict[str, Tensor]:
        """Learn from sequences; every part learns once.

        Returns detached scalars: `loss/model/…`, `model/…` (information, KL and entropies in nats,
        λ of a constraint), `loss/reward/…`, `reward/<name>` and `return/<name>` of imagined steps,
        `value/<name>`, `scale/<name>`, `loss/critic/<name>`, `loss/actor`, `policy/entropy` (nats),
        `gradient_norm/…`, and now and then `diagnostics/…`.
        """
        metrics, posterior = self.model.learn(batch, self.generator)
        steps = replayed_steps(posterior.feature, batch)
        if len(steps.obs):
            metrics |= self.terms.learn(steps)
        with torch.inference_mode():
            imagined = self._imagine(posterior, batch)
            metrics |= self._learn_behaviour(imagined)
            interval = self.config.diagnostics_interval
            if interval and self.updates % interval == 0:
                metrics |= self.model.diagnose(batch, self.updates)
        self.updates += 1
        return metrics

    def _policy(
        self, feature: Float[Tensor, "B F"], skill: Float[Tensor, "B Z"]
    ) -> TruncatedNormal:
        return self.actor(self.state(feature, skill))

    def _imagine(self, posterior: Latent, batch: Sequences) -> Imagined:
        return imagine(
            self.model.model,
            self._policy,
            self.model.signals,
            posterior.flatten_time(),
            batch.terminated.flatten(),
            batch.skill.flatten(0, 1),
            self.config.horizon,
            self.generator,
        )

    def _learn_behaviour(self, imagined: Imagined) -> Metrics:
        """One step of the critics and of the actor."""
        state = self.state(imagined.feature, imagined.skill)
        judged = self.critics.run(state)
        rows = len(imagined.drawn)
        cumulants = self.terms.cumulants(imagined.steps)
        shape = (-1, imagined.weight.shape[1])
        returns = imagined_returns(
            cumulants.unflatten(1, shape),
            judged.values.unflatten(1, shape),
            imagined.goes_on,
            self.terms.discount,
            self.config.lambda_,
        ).flatten(1)
        readout = self.terms.readout(imagined.steps.skill)
        advantage = readout.values(returns - judged.values[:, :rows])
        valued = readout.values(returns)
        self.scale.observe(valued)
        weight = imagined.weight.flatten()
        weighed = self.terms.weights(imagined.steps.skill)
        metrics = self._learn_actor(
            state[:rows], imagined.drawn,
            combined_advantage(advantage, self.scale(), weighed), weight,
        )  # fmt: skip
        targets = (
            (1.0, returns),
            (self.config.slow_weight, self.critics.slow_values(state[:rows])),
        )
        gradient, losses = self.critics.loss(judged.first(rows), targets, weight)
        metrics["gradient_norm/critics"] = self.optimisers["critics"].step(
            gradient,
            self.critics.slow.net.flat,
            self.config.slow_rate,
            self.critics.stack.net.rounded,
            self.critics.slow.net.rounded,
        )
        names = self.terms.names
        metrics |= by_name("loss/critic/", names, losses.view(len(names), -1).sum(dim=1))
        values = readout.values(judged.values[:, :rows])
        for prefix, numbers in (
            ("value/", values), ("return/", valued), ("reward/", readout.values(cumulants)),
        ):  # fmt: skip
            metrics |= by_name(prefix, names, numbers.mean(dim=1))
        return metrics | by_name("scale/", names, self.scale())

    def _learn_actor(
        self,
        state: Float[Tensor, "B X"],
        drawn: Float[Tensor, "B A"],
        advantage: Float[Tensor, " B"],
        weight: Float[Tensor, " B"],
    ) -> Metrics:
        tape = self.actor.net.run(state)
        policy = self.actor.distribution(tape)
        wanted, metrics = score_loss(
            policy.log_prob(drawn),
            advantage,
            policy.entropy(),
            weight,
            self.config.entropy_coefficient,
        )
        gradient = self.actor.gradient(tape, drawn, wanted.log_prob, wanted.entropy)
        norm = self.optimisers["actor"].step(gradient, rounded=self.actor.net.rounded)
        spread = advantage.std(correction=0)
        return metrics | {"gradient_norm/actor": norm, "policy/advantage_std": spread}

    def _parts(self) -> LearnerParts:
        modules = nn.ModuleDict(
            {
                "model": self.model.model,
                "signals": self.model.heads,
                "actor": self.actor,
                "critics": self.critics,
                "scale": self.scale,
            }
        )
        optimisers: dict[str, FlatAdam | Optimizer] = {**self.optimisers}
        optimisers["model"] = self.model.optimiser
        return LearnerParts(self.shape, self.terms, modules, optimisers, self.generator)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on; see `LearnerParts.state_dict`."""
        return self._parts().state_dict(self.updates)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises ValueError if it is of other sizes or rewards, RuntimeError if networks differ.
        """
        self.updates = self._parts().load_state_dict(state)


def needed_signals(rewards: Mapping[str, RewardTerm]) -> dict[str, int]:
    """Widths of the side signals that rewards read."""
    return {
        name: term.module.context.signals[name]
        for term in rewards.values()
        for name in term.module.requires
    }
