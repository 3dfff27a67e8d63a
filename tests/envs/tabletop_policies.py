"""Scripted policies for the tabletop that read nothing but observations, N worlds at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from envs.tasks.tabletop.model import HALF_BOX, SPEED
from envs.vector_world import VectorWorld

STEP = SPEED / 20
HOVER = 0.12
OPEN, CLOSED = 1.0, -1.0


class Reading:
    """An observation of a task without yaw, in parts."""

    def __init__(self, obs: np.ndarray) -> None:
        self.tip = obs[:, 0:3]
        self.target = obs[:, 0:3] + obs[:, 6:9]
        self.boxes = [obs[:, 11 + 18 * k : 14 + 18 * k] for k in range((obs.shape[1] - 17) // 18)]
        self.goal = obs[:, -6:-3]

    def towards(self, place: np.ndarray, opening: float) -> np.ndarray:
        """The action that moves the servos' targets to `place` as fast as they go."""
        move = np.clip((place - self.target) / STEP, -1.0, 1.0)
        return np.concatenate((move, np.full((len(move), 1), opening)), axis=1)


def at_height(places: np.ndarray, height: float | np.ndarray) -> np.ndarray:
    """`places` (N, 3) moved to a height."""
    return np.concatenate(
        (places[:, :2], np.broadcast_to(np.reshape(height, (-1, 1)), (len(places), 1))), axis=1
    )


def play(world: VectorWorld, policy: Iterator[Any]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Run a policy that yields actions and is sent observations; last reward, all signals."""
    obs, info = world.reset()
    kept, reward = [info["signals"]], np.zeros(world.num_envs)
    next(policy)
    while True:
        try:
            action = policy.send(Reading(obs))
        except StopIteration:
            return reward, kept
        obs, reward, terminated, truncated, info = world.step(action)
        assert not (terminated | truncated).any(), "a script must end before its episode does"
        kept.append(info["signals"])


def push() -> Iterator[Any]:
    """Go behind the box, down, and slowly through the box towards the goal; then up."""
    read = yield None
    there = np.zeros((len(read.goal), 1), dtype=bool)
    for step in range(95):
        gap = at_height(read.goal - read.boxes[0], 0.0)
        distance = np.linalg.norm(gap, axis=1, keepdims=True)
        ahead = gap / np.maximum(distance, 1e-9)
        if step < 25:
            place = at_height(read.boxes[0] - 0.06 * ahead, HOVER if step < 15 else HALF_BOX)
            read = yield read.towards(place, CLOSED)
            continue
        there |= distance < 0.03
        offset = at_height(read.tip - read.boxes[0], 0.0)
        along = (offset * ahead).sum(axis=1, keepdims=True)
        askew = np.linalg.norm(offset - along * ahead, axis=1, keepdims=True) > 0.006
        # A push beside the line to the goal turns the box away: align again first.
        place = np.where(askew, read.boxes[0] - 0.05 * ahead, read.boxes[0])
        action = read.towards(at_height(place, HALF_BOX), CLOSED)
        action[:, :3] *= np.where(there, 0.0, np.where(askew, 1.0, 0.4))
        read = yield action


def grasp(read: Reading) -> Iterator[Any]:
    """Open, go over the first box, down, and close."""
    for height, opening, steps in ((HOVER, OPEN, 12), (HALF_BOX, OPEN, 8), (HALF_BOX, CLOSED, 6)):
        for _ in range(steps):
            place = at_height(read.boxes[0] if opening == OPEN else read.target, height)
            read = yield read.towards(place, opening)
    return read


def lift() -> Iterator[Any]:
    """Grasp the box and carry it to the goal."""
    read = yield from grasp((yield None))
    for _ in range(20):
        read = yield read.towards(read.target + (read.goal - read.boxes[0]), CLOSED)


def stack() -> Iterator[Any]:
    """Grasp the first box, carry it over the second, lower it, let go, and leave."""
    read = yield from grasp((yield None))
    for detour, steps in ((None, 8), (0.06, 25), (0.003, 12)):
        for _ in range(steps):
            gap = read.goal - read.boxes[0]
            place = (
                at_height(read.target, HOVER)
                if detour is None
                else read.target + gap + np.array([0.0, 0.0, detour])
            )
            read = yield read.towards(place, CLOSED)
    rest = read.target.copy()
    for height, steps in ((rest[:, 2], 5), (HOVER + 0.08, 10)):
        for _ in range(steps):
            read = yield read.towards(at_height(rest, height), OPEN)
