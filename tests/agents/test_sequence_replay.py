"""The replay of sequences against a list that keeps everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from agents.training import memory
from agents.training.memory import require_memory
from agents.training.replay_layout import StepArrays
from agents.training.sequence_replay import SequenceLayout, SequenceReplay
from agents.training.state_tree import decode, encode

WORLDS, ACTION, SKILL = 3, 2, 2


def layout(image: bool) -> SequenceLayout:
    return SequenceLayout((4, 5, 3) if image else (2,), ACTION, SKILL, {"place": 1})


class Naive:
    """Lists of all observations of each world, and worlds that number them."""

    def __init__(self, image: bool, seed: int = 0) -> None:
        self.random, self.image = np.random.default_rng(seed), image
        self.kept: list[list[dict[str, Any]]] = [[] for _ in range(WORLDS)]
        self.open = np.zeros(WORLDS, bool)
        self.now = self.observe()

    def observe(self) -> np.ndarray:
        if self.image:
            return self.random.integers(0, 256, (WORLDS, 3, 4, 5), dtype=np.uint8)
        return self.random.normal(size=(WORLDS, 2)).astype(np.float32)

    def place(self, obs: np.ndarray) -> np.ndarray:
        return obs.reshape(WORLDS, -1)[:, :1].astype(np.float32)

    def stored(self, obs: np.ndarray) -> np.ndarray:
        return np.moveaxis(obs, 0, -1) if self.image else obs

    def step(self) -> StepArrays:
        random = self.random
        terminated = random.random(WORLDS) < 0.15
        truncated = (random.random(WORLDS) < 0.15) & ~terminated
        action = random.uniform(-1, 1, (WORLDS, ACTION)).astype(np.float32)
        skill = random.normal(size=(WORLDS, SKILL)).astype(np.float32)
        reward, after = random.normal(size=WORLDS).astype(np.float32), self.observe()
        places = self.place(self.now), self.place(after)
        for i in range(WORLDS):
            if not self.open[i]:
                self.kept[i].append(
                    {"obs": self.stored(self.now[i]), "action": np.zeros(ACTION), "reward": 0.0,
                     "terminated": False, "truncated": False, "is_first": True,
                     "skill": skill[i], "place": places[0][i]}
                )  # fmt: skip
            self.kept[i].append(
                {"obs": self.stored(after[i]), "action": action[i], "reward": reward[i],
                 "terminated": terminated[i], "truncated": truncated[i], "is_first": False,
                 "skill": skill[i], "place": places[1][i]}
            )  # fmt: skip
        step = StepArrays(
            self.now, action, reward, after, terminated, truncated, skill,
            {"place": places[0]}, {"place": places[1]},
        )  # fmt: skip
        self.open = ~(terminated | truncated)
        again = self.observe()
        chosen = self.open.reshape(-1, *[1] * (after.ndim - 1))
        self.now = np.where(chosen, after, again)
        return step


def filled(image: bool, steps: int, capacity: int = 60) -> tuple[SequenceReplay, Naive]:
    replay, naive = SequenceReplay(layout(image), WORLDS, capacity), Naive(image)
    for _ in range(steps):
        replay.add(naive.step())
    return replay, naive


@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("steps", [7, 50])
def test_windows_are_what_happened(image: bool, steps: int) -> None:
    replay, naive = filled(image, steps)
    length = 5
    held = [kept[-replay.length :] for kept in naive.kept]
    assert len(replay) == sum(map(len, held))
    windows = {
        (i, start): rows[start : start + length]
        for i, rows in enumerate(held)
        for start in range(len(rows) - length + 1)
    }
    assert replay.windows(length) == len(windows)
    batch = replay.sample(400, length, torch.Generator().manual_seed(0))
    assert batch.obs.dtype == (torch.uint8 if image else torch.float32)
    seen = set()
    for b in range(400):
        (key,) = [
            key for key, rows in windows.items() if np.array_equal(rows[0]["obs"], batch.obs[b, 0])
        ]
        seen.add(key)
        for t, row in enumerate(windows[key]):
            for name in ("obs", "action", "skill", "reward", "terminated", "truncated", "is_first"):
                assert np.array_equal(row[name], getattr(batch, name)[b, t]), name
            assert batch.signals["place"][b, t] == row["place"]
    # Each of the windows is drawn with the same probability: few stay away.
    assert len(seen) > 0.9 * len(windows)


def test_pictures_are_stored_once_as_bytes() -> None:
    shape = SequenceLayout((64, 64, 3), 1)
    assert shape.bytes == 64 * 64 * 3 + 4 * 5
    replay = SequenceReplay(shape, 4, 400)
    assert sum(value.nbytes for value in (replay._obs, replay._rest)) == 400 * shape.bytes


@pytest.mark.parametrize("image", [False, True])
def test_a_saved_replay_goes_on_as_the_original(tmp_path: Any, image: bool) -> None:
    replay, naive = filled(image, 31)
    (tmp_path / "replay").write_bytes(encode(replay.state_dict()))
    again = SequenceReplay(layout(image), WORLDS, 60)
    again.load_state_dict(decode(tmp_path / "replay"))
    for _ in range(9):
        step = naive.step()
        replay.add(step)
        again.add(step)
    assert encode(replay.state_dict()) == encode(again.state_dict())
    batches = [each.sample(8, 4, torch.Generator().manual_seed(0)) for each in (replay, again)]
    assert torch.equal(batches[0].obs, batches[1].obs)
    other = SequenceReplay(layout(image), WORLDS, 90)
    with pytest.raises(ValueError, match=r"20 each; this run needs .* 30 each"):
        other.load_state_dict(replay.state_dict())


def test_cut_episodes_end_and_begin_anew() -> None:
    replay, naive = filled(False, 6)
    was_open = naive.open.copy()
    replay.cut_episodes()
    naive.open[:] = False
    replay.add(naive.step())
    for i, kept in enumerate(naive.kept):
        rows = replay._rest[i, : len(kept)]
        assert rows[-2, -1] == 1.0
        assert rows[-3, -2] == was_open[i] or rows[-3, -3] == 1.0 or not was_open[i]
        if was_open[i]:
            assert rows[-3, -2] == 1.0


def test_what_cannot_be_drawn_or_held_is_refused() -> None:
    replay, _ = filled(False, 2)
    assert replay.windows(40) == 0
    with pytest.raises(ValueError, match="no window of 40 observations"):
        replay.sample(1, 40, torch.Generator())
    with pytest.raises(ValueError, match="cannot hold two of 3 worlds: raise --replay-capacity"):
        SequenceReplay(layout(False), WORLDS, 5)


def test_a_replay_that_does_not_fit_is_refused_with_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:  2097152 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "LIMITS", (tmp_path / "limit",))
    require_memory(2 * 2**30, 1000, "--replay-capacity")
    message = r"1,000 observations needs 4\.0 GiB and 2\.0 GiB .* lower --replay-capacity, to 400 "
    with pytest.raises(ValueError, match=message):
        require_memory(4 * 2**30, 1000, "--replay-capacity")
    (tmp_path / "limit").write_text("1073741824\n")
    with pytest.raises(ValueError, match=r"1\.0 GiB of memory are free"):
        require_memory(2 * 2**30, 1000, "--replay-capacity")
    (tmp_path / "limit").write_text("max\n")
    require_memory(2 * 2**30, 1000, "--replay-capacity")
