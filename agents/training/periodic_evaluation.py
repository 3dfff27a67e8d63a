"""The evaluation during training: return, coverage, a picture of the skills and a video."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from agents.evaluation.coverage import state_coverage
from agents.evaluation.figures import RunLabel, trajectory_figure
from agents.evaluation.objects import object_scalars
from agents.evaluation.rollouts import Rollouts, collect_rollouts, episode_steps
from agents.evaluation.safety import safety_scalars
from agents.evaluation.success import success_scalars
from agents.evaluation.video import record_grid
from agents.training.assembly import make_world
from agents.training.logger import RunLogger
from agents.training.seeding import derive_seed, torch_generator
from agents.training.session import Session
from envs.errors import RenderingError

VIDEO_TILES = 4
VIDEO_FRAMES = 40
VIDEO_FRAMES_PER_SECOND = 15.0

_log = logging.getLogger(__name__)


class PeriodicEvaluation:
    """Runs one episode in each of `eval_episodes` worlds of their own, always from the same seed.

    It takes the mode of the policy and draws from generators of its own, so that training goes on
    just as it would have without it. Raises ValueError for a task whose episodes may never end.
    """

    def __init__(self, session: Session) -> None:
        config = session.config
        self._config = config
        self._seed = derive_seed(config.seed, "evaluation")
        generator = torch_generator(config.seed, "evaluation")
        self._skill = session.varied_skill
        self._skills = self._skill.spread(config.eval_episodes, generator)
        self._draws = config.eval_video
        self._world = make_world(config, config.eval_episodes, self._seed)
        try:
            episode_steps(self._world)
            self._policy = session.policy(self._world)
        except ValueError:
            self.close()
            raise

    def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
        """Mean and spread of the return, mean length in steps and visited cells of the task; what
        becomes of objects, violations of limits and how often the task is solved, where it says."""
        rollouts = collect_rollouts(self._policy, self._world, self._skills, seed=self._seed)
        scalars = {
            "eval/return": float(rollouts.returns.mean()),
            "eval/return_std": float(rollouts.returns.std()),
            "eval/length_steps": float(rollouts.lengths.mean()),
        }
        cell = self._world.coverage_cell
        scalars |= success_scalars(rollouts)
        scalars |= object_scalars(rollouts, cell) | safety_scalars(rollouts)
        if rollouts.positions is not None:
            scalars[f"eval/coverage_cells_{cell:g}m"] = float(
                state_coverage(rollouts.positions, cell)
            )
            self._draw_trajectories(step, rollouts, logger)
        if self._draws:
            self._record_video(step, logger)
        return scalars

    def close(self) -> None:
        """Close the worlds."""
        self._world.close()

    def _draw_trajectories(self, step: int, rollouts: Rollouts, logger: RunLogger) -> None:
        config = self._config
        label = RunLabel(config.agent, config.env, step, config.seed)
        figure = trajectory_figure(rollouts, self._skill, label, self._world.coverage_cell)
        logger.figure(step, "eval/trajectories", figure)

    def _record_video(self, step: int, logger: RunLogger) -> None:
        skill = self._skill
        skills = skill.spread(VIDEO_TILES, torch_generator(self._config.seed, "video"))
        world = make_world(self._config, VIDEO_TILES, self._seed)
        try:
            frames = record_grid(
                self._policy, world, skills, skill, seed=self._seed, frames=VIDEO_FRAMES
            )
            logger.video(step, "eval/video", frames, VIDEO_FRAMES_PER_SECOND)
        except RenderingError as error:
            self._draws = False
            _log.warning("no video in TensorBoard: %s", error)
        finally:
            world.close()
