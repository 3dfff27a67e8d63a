"""Exact neighbour searches: memory O(N), compiled, on several threads."""

from rl_info.estimators.neighbours.counts import range_counts
from rl_info.estimators.neighbours.distances import joint_distances, neighbour_distances
from rl_info.estimators.neighbours.norms import Norm

__all__ = ["Norm", "joint_distances", "neighbour_distances", "range_counts"]
