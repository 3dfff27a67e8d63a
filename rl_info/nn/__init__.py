"""Building blocks of networks: stacked perceptrons, distributions, running statistics."""

from rl_info.nn.flat_adam import FlatAdam
from rl_info.nn.running_normaliser import RunningNormaliser
from rl_info.nn.running_scale import RunningScale
from rl_info.nn.stacked_layout import StackedLayout
from rl_info.nn.stacked_mlp import Precision, StackedMLP
from rl_info.nn.tanh_gaussian import TanhGaussian

__all__ = [
    "FlatAdam",
    "Precision",
    "RunningNormaliser",
    "RunningScale",
    "StackedLayout",
    "StackedMLP",
    "TanhGaussian",
]
