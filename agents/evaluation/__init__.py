"""What a trained agent can do: coverage, returns, goals, pictures and videos."""

from agents.evaluation.evaluate import EvaluationConfig, Subject, evaluate, skill_rollouts
from agents.evaluation.figures import RunLabel, reward_figure, trajectory_figure

__all__ = [
    "EvaluationConfig",
    "RunLabel",
    "Subject",
    "evaluate",
    "reward_figure",
    "skill_rollouts",
    "trajectory_figure",
]
