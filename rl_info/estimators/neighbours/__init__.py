"""Exact neighbour searches: memory O(N), compiled, on several threads."""

from rl_info.estimators.neighbours.counts import range_counts
from rl_info.estimators.neighbours.distances import neighbour_distances
from rl_info.estimators.neighbours.norms import Norm

__all__ = ["Norm", "neighbour_distances", "range_counts"]
