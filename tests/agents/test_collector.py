"""Collection, skills and schedule against a world that says what must come next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from counting import CountingLearner, CountingWorld, episode_length, reward_for

from agents.training.batches import RolloutBatches, SampledBatches
from agents.training.collector import ActionScale, Collector
from agents.training.errors import NonFiniteStepError
from agents.training.interruption import Interruption
from agents.training.loop import Intervals, TrainingLoop
from agents.training.replay import Replay
from agents.training.replay_layout import ReplayLayout
from agents.training.schedule import UpdateClock, crossed
from agents.training.skill_sampler import SkillSampler
from agents.training.state_tree import decode, encode
from rl_info.skills import SkillSpec
from rl_info.transitions import Transitions

WORLDS = 3
LAYOUT = ReplayLayout(3, 1, 4, {"total": 1})


class Recorder:
    """An observer that notes what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.scalars: list[Mapping[str, float]] = []

    def progress(self, step: int, updates: int) -> None:
        self.calls.append(("progress", step))

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        self.calls.append(("log", step))
        self.scalars.append(scalars)

    def evaluate(self, step: int) -> None:
        self.calls.append(("evaluate", step))

    def save(self, step: int) -> None:
        self.calls.append(("save", step))

    def dump(self, *arguments: Any) -> None:
        raise AssertionError("nothing to dump")

    def of(self, kind: str) -> list[int]:
        return [step for name, step in self.calls if name == kind]


def build(
    learner: CountingLearner, capacity: int = 45, window: int = 1, seed: int = 0
) -> tuple[TrainingLoop, Recorder]:
    recorder = Recorder()
    replay = Replay(LAYOUT, WORLDS, capacity)
    skills = SkillSampler(
        SkillSpec("discrete", 4), WORLDS, torch.Generator().manual_seed(seed), resample_every=3
    )
    collector = Collector(CountingWorld(WORLDS), replay, skills, np.random.default_rng(0))
    loop = TrainingLoop(
        collector=collector,
        learner=learner,
        batches=SampledBatches(
            replay, UpdateClock(0.7, 0), 16, window, torch.Generator().manual_seed(seed + 1)
        ),
        intervals=Intervals(log=30, evaluate=50, checkpoint=100),
        observer=recorder,
    )
    return loop, recorder


@pytest.mark.parametrize("window", [1, 4])
def test_what_is_learned_from_is_what_happened(window: int) -> None:
    learner = CountingLearner()
    loop, _ = build(learner, window=window)
    loop.collector.reset(0)
    loop.run(450, Interruption())
    assert learner.updates == int(0.7 * 450)
    # Many times around the ring and through hundreds of episodes.
    assert learner.rows == 315 * 16 * window


class RolloutLearner(CountingLearner):
    """Asserts that rollouts hold every step once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.last: list[Any] = [None] * WORLDS

    def check_windows(self, batch: Transitions, valid: torch.Tensor) -> None:
        assert valid.all()
        for row in range(len(batch.obs)):
            before, world = self.last[row % WORLDS], row % WORLDS
            if before is not None and not (before.terminated | before.truncated):
                assert torch.equal(batch.obs[row], before.next_obs[0])
            assert batch.obs[row, 0] == world
            self.last[world] = batch.rows(torch.tensor([row]))


@pytest.mark.parametrize("capacity", [7 * WORLDS, 45])
def test_rollouts_hold_every_step_once_and_in_order(capacity: int) -> None:
    learner = RolloutLearner()
    loop, _ = build(learner, capacity=capacity)
    loop.batches = RolloutBatches(loop.collector.replay, 7)
    loop.collector.reset(0)
    loop.run(450, Interruption())
    assert learner.updates == loop.batches.updates == 450 // (7 * WORLDS)
    assert learner.rows == learner.updates * 7 * WORLDS


def test_a_saved_collection_goes_on_as_if_nothing_had_happened(tmp_path: Any) -> None:
    learner = CountingLearner()
    loop, _ = build(learner)
    loop.collector.reset(0)
    loop.run(200, Interruption())
    path = tmp_path / "state.safetensors"
    parts = [loop.collector, loop.collector.replay, loop.collector.world, loop, learner]
    path.write_bytes(encode([part.state_dict() for part in parts]))
    loop.run(420, Interruption())

    again = CountingLearner()
    again.skills = dict(learner.skills)
    resumed, _ = build(again, seed=99)
    copies = [resumed.collector, resumed.collector.replay, resumed.collector.world, resumed, again]
    for part, state in zip(copies, decode(path), strict=True):
        part.load_state_dict(state)
    resumed.run(420, Interruption())
    assert again.updates == learner.updates
    ends = [encode([part.state_dict() for part in some]) for some in (parts, copies)]
    assert ends[0] == ends[1]


def test_a_world_that_cannot_be_restored_starts_new_episodes() -> None:
    learner = CountingLearner()
    loop, _ = build(learner)
    collector = loop.collector
    collector.reset(0)
    loop.run(100, Interruption())
    newest = loop.collector.replay._block[
        (loop.collector.replay._head - 1) % loop.collector.replay.length
    ].copy()
    collector.cut_episodes(7)
    cut = loop.collector.replay._block[
        (loop.collector.replay._head - 1) % loop.collector.replay.length
    ]
    assert (newest[:, -1] == 0).any()
    assert (cut[:, -2:].sum(axis=1) == 1).all()
    assert not collector._lengths.any()
    learner.previous = None
    collector.step(learner)
    assert (
        loop.collector.replay._block[
            (loop.collector.replay._head - 1) % loop.collector.replay.length
        ][:, 2]
        == 0
    ).all()


def test_logs_evaluates_and_saves_when_due() -> None:
    loop, recorder = build(CountingLearner())
    loop.collector.reset(0)
    loop.run(230, Interruption())
    assert recorder.of("log") == [30, 60, 90, 120, 150, 180, 210]
    assert recorder.of("evaluate") == [51, 102, 150, 201]
    assert recorder.of("save") == [102, 201, 231]
    logged = recorder.scalars[0]
    assert logged["time/env_steps_per_second"] > 0
    assert logged["loss/none"] == pytest.approx(np.mean(range(1, 22)))


def test_episode_returns_and_lengths_are_those_of_the_worlds() -> None:
    loop, _ = build(CountingLearner())
    loop.collector.reset(0)
    for _ in range(9):
        loop.collector.step(loop.learner)
    episodes = loop.collector.drain_episodes()
    expected = []
    for world in range(WORLDS):
        steps, episode = 9, 0
        while steps >= (length := episode_length(world, episode)):
            total = sum(reward_for(world, episode, count) for count in range(length))
            expected.append((total, length))
            steps, episode = steps - length, episode + 1
    assert sorted((e.task_return, e.length) for e in episodes) == sorted(expected)
    assert loop.collector.drain_episodes() == []


def test_stops_at_the_next_step_and_saves_once() -> None:
    loop, recorder = build(CountingLearner())
    loop.collector.reset(0)
    interruption = Interruption()
    interruption.signal_number = 15
    loop.run(100, interruption)
    assert recorder.calls == []
    loop.run(6, Interruption())
    assert recorder.of("save") == [6]


def test_warm_up_acts_at_random_within_the_bounds() -> None:
    class Recording(CountingWorld):
        actions: list[np.ndarray] = []

        def step(self, actions: np.ndarray) -> Any:
            self.actions.append(actions)
            zeros = np.zeros(self.num_envs)
            never = zeros.astype(bool)
            return self._obs(), zeros, never, never, {"signals": self._signals()}

    replay = Replay(LAYOUT, 50, 5000)
    skills = SkillSampler(SkillSpec("discrete", 4), 50, torch.Generator())
    world = Recording(50)
    collector = Collector(world, replay, skills, np.random.default_rng(0), warmup_steps=1000)
    collector.reset(0)
    learner = CountingLearner()
    learner.observe = lambda obs: None  # type: ignore[method-assign]
    learner.act = lambda *rest: pytest.fail("acted")  # type: ignore[method-assign]
    while collector.env_steps < 1000:
        collector.step(learner)
    taken = np.concatenate(world.actions)
    assert -1.0 <= taken.min() < -0.9
    assert 2.9 < taken.max() <= 3.0
    assert abs(taken.mean() - 1.0) < 0.15


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (gymnasium.spaces.Box(-np.inf, np.inf, (2,)), "unbounded"),
        (gymnasium.spaces.Discrete(3), "needs a Box"),
    ],
)
def test_refuses_actions_that_cannot_be_scaled(space: gymnasium.Space[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ActionScale(space)


def test_an_observation_that_is_not_finite_names_its_world() -> None:
    loop, _ = build(CountingLearner())
    world = loop.collector.world
    loop.collector.reset(0)
    step = world.step

    def broken(actions: np.ndarray) -> Any:
        obs, *rest = step(actions)
        obs[1, 2] = np.nan
        return obs, *rest

    world.step = broken  # type: ignore[method-assign]
    with pytest.raises(NonFiniteStepError, match="world 1 returned"):
        loop.collector.step(loop.learner)


def test_skills_change_at_episode_ends_and_after_their_steps_only() -> None:
    spec = SkillSpec("continuous", 3)
    sampler = SkillSampler(spec, 4, torch.Generator().manual_seed(0), resample_every=3)
    first = sampler.skills
    sampler.advance(np.array([False, True, False, False]))
    second = sampler.skills
    assert (first != second).any(1).tolist() == [False, True, False, False]
    sampler.advance(np.zeros(4, bool))
    assert torch.equal(sampler.skills, second)
    sampler.advance(np.zeros(4, bool))
    assert (sampler.skills != second).any(1).tolist() == [True, False, True, True]
    with pytest.raises(ValueError, match="at least 1 step"):
        SkillSampler(spec, 1, torch.Generator(), resample_every=0)


def test_an_agent_without_skills_draws_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    sampler = SkillSampler(SkillSpec(), 4, generator, resample_every=1)
    before = generator.get_state()
    sampler.advance(np.ones(4, bool))
    assert sampler.skills.shape == (4, 0)
    assert torch.equal(before, generator.get_state())


@pytest.mark.parametrize("ratio", [0.1, 0.29, 1 / 32, 1.0, 3.0, 0.3333])
@pytest.mark.parametrize("worlds", [1, 7, 64])
def test_updates_never_drift_from_the_ratio(ratio: float, worlds: int) -> None:
    clock = UpdateClock(ratio, warmup_steps=100)
    for steps in range(worlds, 3000, worlds):
        clock.updates += clock.due(steps)
        exact = ratio * max(steps - 100, 0)
        assert exact - 1 < clock.updates <= exact + 1e-9
    assert clock.due(100) == 0


def test_crossings_are_counted_once() -> None:
    assert [step for step in range(7, 100, 7) if crossed(10, step - 7, step)] == [
        14, 21, 35, 42, 56, 63, 70, 84, 91,
    ]  # fmt: skip
    assert not crossed(0, 0, 100)
