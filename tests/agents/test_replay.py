"""The ring against a list of lists, and its reading against a slow, obvious reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.training.replay import Replay
from agents.training.replay_layout import ReplayLayout, StepArrays
from rl_info.transitions import Transitions

LAYOUT = ReplayLayout(obs_dim=2, action_dim=1, skill_dim=2, signals={"position": 1})
Step = dict[str, Any]


def fill(replay: Replay, steps: int, seed: int, end_rate: float = 0.3) -> list[list[Step]]:
    """Adds `steps` steps of random data; returns what the ring must hold, oldest first."""
    rng = np.random.default_rng(seed)
    worlds = replay.num_worlds
    history: list[list[Step]] = [[] for _ in range(worlds)]
    skill = rng.integers(0, 2, (worlds, 2))
    for t in range(steps):
        ended = rng.random(worlds) < end_rate
        terminated = ended & (rng.random(worlds) < 0.5)
        step = StepArrays(
            obs=np.stack([np.full(worlds, t), np.arange(worlds)], 1).astype(np.float64),
            action=rng.random((worlds, 1), dtype=np.float32),
            reward=rng.random(worlds),
            next_obs=rng.random((worlds, 2)),
            terminated=terminated,
            truncated=ended & ~terminated,
            skill=skill.astype(np.float32),
            signals={"position": rng.random((worlds, 1)), "unread": rng.random((worlds, 4))},
            next_signals={"position": rng.random((worlds, 1)), "unread": rng.random((worlds, 4))},
        )
        replay.add(step)
        for n in range(worlds):
            history[n].append(
                {
                    name: np.float32(getattr(step, name)[n])
                    for name in ("obs", "action", "reward", "next_obs", "skill")
                }
                | {"terminated": terminated[n], "truncated": step.truncated[n]}
                | {"position": np.float32(step.signals["position"][n])}
                | {"next_position": np.float32(step.next_signals["position"][n])}
            )
        skill = np.where(rng.random((worlds, 1)) < 0.2, rng.integers(0, 2, (worlds, 2)), skill)
    return [steps_of_world[-replay.length :] for steps_of_world in history]


def assert_row(batch: Transitions, row: int, step: Step) -> None:
    for name in ("obs", "action", "reward", "next_obs", "skill", "terminated", "truncated"):
        assert np.array_equal(getattr(batch, name)[row].numpy(), step[name]), name
    assert batch.signals["position"][row].numpy() == step["position"]
    assert batch.next_signals["position"][row].numpy() == step["next_position"]


sizes = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 20), st.integers(0, 2**31))


@settings(max_examples=60, deadline=None)
@given(sizes)
def test_samples_are_stored_steps_and_every_stored_step_comes_up(size: Any) -> None:
    worlds, length, steps, seed = size
    replay = Replay(LAYOUT, worlds, length * worlds + worlds - 1)
    assert replay.capacity == length * worlds
    history = fill(replay, steps, seed)
    stored = sum(map(len, history))
    assert len(replay) == stored == min(steps, length) * worlds
    batch = replay.sample(40 * stored, torch.Generator().manual_seed(seed))
    seen = set()
    for row, (t, n) in enumerate(batch.obs.int().tolist()):
        first = int(history[n][0]["obs"][0])
        assert_row(batch, row, history[n][t - first])
        seen.add((t, n))
    assert len(seen) == stored


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 5))
def test_windows_equal_the_obvious_reference(size: Any, window: int) -> None:
    worlds, length, steps, seed = size
    replay = Replay(LAYOUT, worlds, length * worlds)
    history = fill(replay, steps, seed)
    count = 30
    windows = replay.sample_windows(count, window, torch.Generator().manual_seed(seed))
    assert windows.valid.shape == (window, count)
    for b in range(count):
        start, n = windows.steps.obs[b].int().tolist()
        first = int(history[n][0]["obs"][0])
        alive = True
        for t in range(window):
            index = start - first + t
            inside = index < len(history[n])
            if t:
                previous = history[n][index - 1] if index - 1 < len(history[n]) else None
                alive = alive and previous is not None
                alive = alive and not (previous["terminated"] or previous["truncated"])
            alive = alive and inside
            alive = alive and np.array_equal(
                history[n][index]["skill"], history[n][start - first]["skill"]
            )
            assert bool(windows.valid[t, b]) == bool(alive)
            if alive:
                assert_row(windows.steps, t * count + b, history[n][index])


@settings(max_examples=30, deadline=None)
@given(sizes, st.integers(0, 10))
def test_restored_ring_goes_on_as_the_original(size: Any, more: int) -> None:
    worlds, length, steps, seed = size
    original = Replay(LAYOUT, worlds, length * worlds)
    fill(original, steps, seed)
    restored = Replay(LAYOUT, worlds, length * worlds)
    restored.load_state_dict(original.state_dict())
    fill(original, more, seed + 1)
    fill(restored, more, seed + 1)
    a, b = (
        replay.sample_windows(50, 3, torch.Generator().manual_seed(1))
        for replay in (original, restored)
    )
    assert torch.equal(a.valid, b.valid)
    assert torch.equal(a.steps.obs, b.steps.obs)
    assert torch.equal(a.steps.next_obs, b.steps.next_obs)


def test_cutting_marks_only_the_newest_open_steps() -> None:
    replay = Replay(LAYOUT, 3, 12)
    history = fill(replay, 6, seed=4)
    replay.cut_episodes()
    batch = replay.sample(600, torch.Generator().manual_seed(0))
    for row, (t, n) in enumerate(batch.obs.int().tolist()):
        step = history[n][t - int(history[n][0]["obs"][0])]
        newest = step is history[n][-1]
        assert bool(batch.terminated[row]) == bool(step["terminated"])
        cut = step["truncated"] or (newest and not step["terminated"])
        assert bool(batch.truncated[row]) == bool(cut)


def test_same_generator_state_gives_the_same_batch() -> None:
    replay = Replay(LAYOUT, 2, 20)
    fill(replay, 10, seed=0)
    a, b = (replay.sample(64, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(a.obs, b.obs)
    assert not torch.equal(a.obs, replay.sample(64, torch.Generator().manual_seed(6)).obs)


def test_refuses_what_cannot_work() -> None:
    with pytest.raises(ValueError, match="cannot hold one step of 4 worlds"):
        Replay(LAYOUT, 4, 3)
    replay = Replay(LAYOUT, 2, 8)
    with pytest.raises(ValueError, match="empty"):
        replay.sample(1, torch.Generator())
    fill(replay, 3, seed=0)
    with pytest.raises(ValueError, match="at least 1 step"):
        replay.sample_windows(1, 0, torch.Generator())


@pytest.mark.parametrize(
    ("layout", "worlds", "capacity"),
    [(ReplayLayout(3, 1, 2, {"position": 1}), 2, 8), (LAYOUT, 3, 12), (LAYOUT, 2, 20)],
)
def test_refuses_a_state_of_another_shape(layout: ReplayLayout, worlds: int, capacity: int) -> None:
    saved = Replay(LAYOUT, 2, 8)
    fill(saved, 6, seed=0)
    with pytest.raises(ValueError, match="saved replay"):
        Replay(layout, worlds, capacity).load_state_dict(saved.state_dict())
