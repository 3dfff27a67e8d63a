"""Repeating an action in N worlds that end their episodes at different moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from envs.backends.batch import BatchWorld
from envs.tasks.base import Fields
from envs.vector_world import StepResult


class ActionRepeat:
    """Takes several control steps with one action, and sums their rewards.

    How many it took in each world, (N,), is said in `info["env_steps"]` if it may be several.

    A world whose episode ends on the way waits in the first moment of its next episode until the
    others have finished: it is stepped with them, and then put back.

    Args:
        world: Steps; exposes `final_fields` if it has extra fields.
        repeats: Control steps for one action, at least 1.
    """

    def __init__(self, world: BatchWorld, repeats: int) -> None:
        self._world = world
        self._repeats = repeats
        self.ends: list[tuple[Int[np.ndarray, "M"], Fields]] = []
        """Of the last step: worlds whose episode ended, and their fields at the end."""

    def step(self, actions: Float[np.ndarray, "N A"]) -> StepResult:
        """Take the control steps; see `VectorWorld.step`."""
        self.ends = []
        count = self._world.num_envs
        reward, ended = np.zeros(count), np.zeros(count, dtype=bool)
        terminated, truncated = ended.copy(), ended.copy()
        taken = np.zeros(count, dtype=np.int64)
        waiting: list[tuple[Bool[np.ndarray, "N"], dict[str, Any]]] = []
        rows = np.zeros(0)
        finals: dict[str, Any] = {}
        for repeat in range(self._repeats):
            rows, gained, over, cut, info = self._world.step(actions)
            reward += np.where(ended, 0.0, gained)
            taken += ~ended
            fresh = (over | cut) & ~ended
            if fresh.any():
                terminated |= over & fresh
                truncated |= cut & fresh
                self._keep_ends(fresh, over | cut, finals, rows, info)
                if repeat + 1 < self._repeats:
                    waiting.append((fresh, self._world.state_dict()))
            ended |= fresh
        result = {name: value for name, value in info.items() if "final" not in name}
        if self._repeats > 1:
            result["env_steps"] = taken
        if finals:
            self._return(waiting)
            for begun, obs, signals in finals["begun"]:
                rows = np.where(begun[:, None], obs, rows)
                result["signals"] = _where(begun, signals, result["signals"])
            result["final_obs"] = finals["final_obs"]
            result["_final_obs"], result["final_signals"] = ended, finals["final_signals"]
        return rows, reward, terminated, truncated, result

    def _keep_ends(
        self,
        fresh: Bool[np.ndarray, "N"],
        over: Bool[np.ndarray, "N"],
        finals: dict[str, Any],
        rows: Float[np.ndarray, "N D"],
        info: dict[str, Any],
    ) -> None:
        """Remember how the episodes of the `fresh` worlds ended, and how their next ones begin."""
        if self._world.final_fields is not None:
            # The fields are of all worlds that are over, which may hold some that wait.
            chosen = np.flatnonzero(fresh[over])
            fields = vars(self._world.final_fields).items()
            kept = {name: value[chosen] for name, value in fields if isinstance(value, np.ndarray)}
            self.ends.append((np.flatnonzero(fresh), Fields(**kept)))
        if not finals:
            finals.update(
                final_obs=info["final_obs"], final_signals=info["final_signals"], begun=[]
            )
        finals["final_obs"] = np.where(fresh[:, None], info["final_obs"], finals["final_obs"])
        finals["final_signals"] = _where(fresh, info["final_signals"], finals["final_signals"])
        finals["begun"].append((fresh, rows, info["signals"]))

    def _return(self, waiting: list[tuple[Bool[np.ndarray, "N"], dict[str, Any]]]) -> None:
        """Put worlds back to where they were in the states saved for them."""
        if not waiting:
            return
        merged = self._world.state_dict()
        for worlds, saved in waiting:
            merged = _merge(merged, saved, worlds)
        self._world.load_state_dict(merged)


def _where(
    chosen: Bool[np.ndarray, "N"], one: dict[str, np.ndarray], other: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    return {name: np.where(chosen[:, None], one[name], other[name]) for name in other}


def _merge(now: Any, saved: Any, worlds: Bool[np.ndarray, "N"]) -> Any:
    """`now` with the rows of some worlds from `saved`, at every depth of a state's dictionary."""
    if isinstance(now, np.ndarray):
        chosen = worlds.reshape(-1, *[1] * (now.ndim - 1))
        return np.where(chosen, saved, now)
    if isinstance(now, dict):
        return {key: _merge(value, saved[key], worlds) for key, value in now.items()}
    if isinstance(now, list):
        pairs = zip(now, saved, worlds.tolist(), strict=True)
        return [theirs if chosen else ours for ours, theirs, chosen in pairs]
    return now
