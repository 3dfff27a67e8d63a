"""The plain network that rewards learn with."""

from __future__ import annotations

from rl_info.nn.perceptron import perceptron

__all__ = ["perceptron"]
