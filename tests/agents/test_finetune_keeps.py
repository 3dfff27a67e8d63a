"""What fine-tuning does to a skill that already earns: its actor rests until critics know it."""

from __future__ import annotations

import dataclasses
import math
from contextlib import closing
from statistics import fmean
from typing import Any

import pytest
import torch
from test_finetune_choice import FarWorld, far_world
from test_resume import small

from agents.evaluation.rollouts import collect_rollouts
from agents.finetune.config import FinetuneConfig
from agents.learners import PPOConfig, SACConfig
from agents.training.session import Session
from rl_info.skills import SkillSpec

__all__ = ["far_world"]
SAC = SACConfig(hidden_dim=32, batch_size=64, normalise_observations=True)
PPO = PPOConfig(hidden_dim=32, rollout_length=20, epochs=2, minibatches=2)


def settings(seed: int, learner: Any = SAC, rest: int = 160, steps: int = 400) -> Any:
    """One of 16 directions is chosen in 320 env steps; then learning begins."""
    return small(
        "sac", skill=SkillSpec("continuous", 2), learner=learner, seed=seed, update_ratio=1.0,
        total_steps=320 + steps, warmup_steps=0, max_episode_steps=None, replay_capacity=4000,
        finetune=FinetuneConfig("made by hand", trial_steps=None, actor_rest_steps=rest),
    )  # fmt: skip


def begin(config: Any) -> Session:
    """A session whose policy walks in the direction of its skill, nearly at full speed."""
    session = Session.build(config)
    net = session.learner.actor.net
    layers = net.layout.layers(net.flat.detach())
    # Hidden units 0 to 3 are the positive and negative parts of the skill, which is columns 2, 3.
    layers.input_weight[..., :4] = 0.0
    for unit, (column, sign) in enumerate(((2, 1.0), (2, -1.0), (3, 1.0), (3, -1.0))):
        layers.input_weight[0, column, unit] = sign
    for weight, bias in zip(layers.weights, layers.biases, strict=True):
        weight[0, :4], weight[0, :, :4], bias[0, 0, :4] = 0.0, 0.0, 0.0
        weight[0, :4, :4] = torch.eye(4)
    layers.output_weight[0, :2, :4] = torch.tensor([[2.0, -2.0, 0.0, 0.0], [0.0, 0.0, 2.0, -2.0]])
    session.start()
    return session


def earned(session: Session) -> float:
    world = FarWorld(16)
    skills = torch.zeros(16, session.varied_skill.dim)
    return float(collect_rollouts(session.policy(world), world, skills, seed=9).returns.mean())


def before_and_after(config: Any, temperature: float) -> tuple[float, float]:
    """Mean returns of the held skill when it is chosen, and at the end of learning."""
    with closing(begin(config)) as session:
        session.learner.temperature.log.data.fill_(math.log(temperature))
        first = None
        while session.collector.env_steps < config.total_steps:
            session.collector.step(session.learner)
            if first is None and session.choice.finished:
                first = earned(session)
            for batch in session.batches.due(session.collector.env_steps):
                session.learner.update(batch.steps, batch.valid)
        assert first is not None
        return first, earned(session)


@pytest.mark.slow
def test_a_skill_that_earns_is_kept(far_world: Any) -> None:
    """Fresh critics and a temperature of 1, at which a policy would rather be random, lose it.

    Not with every seed: one in five was seen to be lost even so.
    """
    learner = dataclasses.replace(
        SAC, actor_learning_rate=1e-3, critic_learning_rate=1e-3, temperature_learning_rate=1e-3
    )
    resting = [settings(seed, learner, rest=400, steps=800) for seed in range(5)]
    kept = [before_and_after(config, temperature=0.02) for config in resting]
    hasty = [settings(0, learner, rest=0)]
    lost = [before_and_after(config, temperature=1.0) for config in hasty]
    first, last = (fmean(values) for values in zip(*kept, strict=True))
    assert first > 9
    assert last > 8
    assert fmean(after for _, after in lost) < 2


@pytest.mark.parametrize("learner", [SAC, PPO], ids=["sac", "ppo"])
def test_critics_learn_alone_while_the_actor_rests(far_world: Any, learner: Any) -> None:
    """From the first step after the choice for `actor_rest_steps` env steps."""
    config = settings(0, learner, rest=160)
    with closing(begin(config)) as session:
        nets = {"actor": session.learner.actor.net, "critics": session.learner.critics.net}
        start = {name: net.flat.detach().clone() for name, net in nets.items()}
        logged: set[str] = set()
        seen = []
        while session.collector.env_steps < config.total_steps:
            session.collector.step(session.learner)
            for batch in session.batches.due(session.collector.env_steps):
                metrics = session.learner.update(batch.steps, batch.valid)
                rests = session.collector.env_steps <= 480
                assert session.learner.actor_rests == rests
                assert torch.equal(nets["actor"].flat, start["actor"]) == rests
                assert ("gradient_norm/actor" in metrics) != rests
                logged |= set(metrics)
                seen.append(rests)
        assert {True, False} == set(seen)
        assert not torch.equal(nets["critics"].flat, start["critics"])
        # The units that the policy was learned in stay.
        assert session.learner.state.normaliser.count == 0
