"""What a trained agent can do: coverage, returns, goals, pictures and videos."""

from agents.evaluation.evaluate import evaluate, skill_rollouts
from agents.evaluation.figures import RunLabel, reward_figure, trajectory_figure
from agents.evaluation.settings import EvaluationConfig, Subject

__all__ = [
    "EvaluationConfig",
    "RunLabel",
    "Subject",
    "evaluate",
    "reward_figure",
    "skill_rollouts",
    "trajectory_figure",
]
