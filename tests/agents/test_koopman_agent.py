"""The Koopman learner: a toy world under control, resuming, refusals, and a run."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from agents.learners import KoopmanLQR, KoopmanLQRConfig, RewardTerm
from agents.learners.sequences import Sequences
from agents.presets import find_preset
from agents.training.config import TrainConfig
from agents.training.session import Session
from rl_info.dynamics.koopman import KoopmanConfig, RegulatorConfig
from rl_info.rewards.base import RewardContext
from rl_info.rewards.task import TaskConfig, TaskReward
from rl_info.skills import SkillSpec

DYNAMICS = KoopmanConfig(
    latent_dim=6, information_weight=0.01, entropy_weight=0.001, neighbours=1, prediction_steps=3
)
CONFIG = KoopmanLQRConfig(
    dynamics=DYNAMICS, regulator=RegulatorConfig(horizon=40), learning_rate=5e-3,
    goal=(0.0, 0.0, 0.0), solve_interval=10,
)  # fmt: skip


def observed(state: torch.Tensor) -> torch.Tensor:
    """A nonlinear, invertible view of position and velocity."""
    x, v = state.unbind(-1)
    return torch.stack([torch.tanh(x), v + 0.3 * x**2, torch.sin(v)], dim=-1)


def moved(state: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
    """An unstable linear system: an inverted pendulum near the top."""
    x, v = state.unbind(-1)
    return torch.stack([x + 0.1 * v, v + 0.3 * x + 0.2 * action[..., 0]], dim=-1)


def toy_sequences(count: int, steps: int, seed: int) -> Sequences:
    random = torch.Generator().manual_seed(seed)
    state = torch.rand(count, 2, generator=random) * 2 - 1
    obs, actions = [observed(state)], [torch.zeros(count, 1)]
    for _ in range(steps - 1):
        actions.append(torch.rand(count, 1, generator=random) * 2 - 1)
        state = moved(state, actions[-1])
        obs.append(observed(state))
    first = torch.zeros(count, steps, dtype=torch.bool)
    first[:, 0] = True
    never = torch.zeros_like(first)
    seen = torch.stack(obs, dim=1)
    reward = -seen.square().sum(dim=-1)
    return Sequences(
        seen, torch.stack(actions, dim=1), reward, never, never, first,
        torch.zeros(count, steps, 0), {},
    )  # fmt: skip


def learner(config: KoopmanLQRConfig = CONFIG, seed: int = 0) -> KoopmanLQR:
    return KoopmanLQR(3, 1, SkillSpec(), {}, config, seed=seed)


def final_distance(agent: KoopmanLQR | None) -> float:
    """Mean distance from rest after 40 steps, from positions within 0.4."""
    random = torch.Generator().manual_seed(9)
    state = (torch.rand(64, 2, generator=random) - 0.5) * torch.tensor([0.8, 0.0])
    for _ in range(40):
        if agent is None:
            action = torch.rand(64, 1, generator=random) * 2 - 1
        else:
            action = agent.act(observed(state), torch.zeros(64, 0), deterministic=True)
        state = moved(state, action)
    return state.norm(dim=1).mean().item()


def test_a_linear_world_seen_through_a_nonlinear_map_is_brought_to_its_goal():
    agent = learner()
    for update in range(100):
        agent.update(toy_sequences(16, 8, update))
    assert agent.failures == 0
    assert final_distance(agent) < 0.2 * final_distance(None)


def test_a_restored_learner_goes_on_bit_for_bit():
    first = learner()
    for update in range(10):
        first.update(toy_sequences(4, 8, update))
    second = learner(seed=1)
    # torch's optimisers keep the very tensors that they are given.
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    obs, skill = toy_sequences(4, 8, 99).obs[:, 0], torch.zeros(4, 0)
    assert torch.equal(first.act(obs, skill), second.act(obs, skill))
    for agent in (first, second):
        agent.update(toy_sequences(4, 8, 50))
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="sizes"):
        KoopmanLQR(4, 1, SkillSpec(), {}, dataclasses.replace(CONFIG, goal=None)).load_state_dict(
            first.state_dict()
        )


def test_without_a_goal_the_best_rewarded_observation_is_one():
    agent = learner(dataclasses.replace(CONFIG, goal=None))
    batch = toy_sequences(4, 8, 0)
    agent.update(batch)
    best = batch.obs.flatten(0, 1)[batch.reward.argmax()]
    assert torch.equal(agent.goal, best[None])


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match=r"--learner\.goal has 2 numbers"):
        learner(dataclasses.replace(CONFIG, goal=(0.0, 1.0)))
    context = RewardContext(3, 1, SkillSpec(), {})
    task = RewardTerm(TaskReward(context, TaskConfig(), torch.Generator()), TaskConfig())
    with pytest.raises(ValueError, match="leave out --rewards"):
        KoopmanLQR(3, 1, SkillSpec(), {"task": task}, CONFIG)
    with pytest.raises(ValueError, match="no actor and no critic"):
        KoopmanLQRConfig(hidden_dim=32)
    with pytest.raises(ValueError, match="sequence_length must be more than 3"):
        KoopmanLQRConfig(sequence_length=3)


def test_images_come_with_channels_first_as_worlds_show_them():
    agent = KoopmanLQR((64, 64, 3), 1, SkillSpec(), {}, dataclasses.replace(CONFIG, goal=None))
    sequences = toy_sequences(2, 4, 0)
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 4, 64, 64, 3), generator=random, dtype=torch.uint8)
    for _ in range(CONFIG.solve_interval):
        agent.update(dataclasses.replace(sequences, obs=images))
    shown, latents = images[:, 0].permute(0, 3, 1, 2), agent.model.encode(images[:, 0])
    chosen = agent.act(shown, torch.zeros(2, 0), deterministic=True)
    assert torch.equal(chosen, agent.regulator(latents))


def test_the_preset_collects_learns_and_acts():
    preset = find_preset("koopman-lqr")
    settings = {
        **preset.training, "num_envs": 2, "warmup_steps": 40, "update_ratio": 0.1,
        "replay_capacity": 200,
    }  # fmt: skip
    small = dataclasses.replace(preset.learner, batch_size=4, solve_interval=1)
    config = TrainConfig(agent=preset.name, rewards={}, learner=small, **settings)
    session = Session.build(config)
    session.start()
    before = session.learner.model.head.weight.detach().clone()
    while session.collector.env_steps < 80:
        session.collector.step(session.learner)
        for batch in session.batches.due(session.collector.env_steps):
            metrics = session.learner.update(batch.steps, batch.valid)
    session.close()
    assert all(value.isfinite() for value in metrics.values())
    assert session.learner.regulator is not None
    assert not torch.equal(before, session.learner.model.head.weight)
