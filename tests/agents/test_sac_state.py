from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from sac_cases import SKILL, batch, learner
from torch import Tensor

from agents.learners import MultiCriticSAC
from rl_info.rewards import RewardConfig
from rl_info.skills import SkillSpec

VARIANTS: list[dict[str, Any]] = [
    {"layer_norm": True},
    {"precision": "bfloat16"},
    {"normalise_observations": True, "critic_sharing": "none"},
]


def agent(seed: int, **variant: Any) -> MultiCriticSAC:
    configs = [RewardConfig(), RewardConfig(weight=0.3, discount=0.8, normalise=True)]
    return learner(*configs, learned=True, seed=seed, **variant)


def train(each: MultiCriticSAC, seeds: range) -> list[dict[str, Tensor]]:
    found = []
    for seed in seeds:
        data = batch(seed=seed)
        each.observe(data.obs)
        found.append(each.update(data) | {"action": each.act(data.obs, data.skill)})
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_learner_continues_bit_for_bit(variant):
    first = agent(0, **variant)
    train(first, range(5))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = agent(1, **variant)
    train(second, range(50, 52))
    second.load_state_dict(torch.load(file, weights_only=True))
    assert second.updates == 5
    pairs = zip(train(first, range(5, 10)), train(second, range(5, 10)), strict=True)
    for expected, found in pairs:
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            assert torch.equal(value, found[name]), name


def test_the_state_holds_tensors_and_plain_containers_only():
    def check(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                assert isinstance(key, str | int), path
                check(each, f"{path}.{key}")
        elif isinstance(value, list | tuple):
            for each in value:
                check(each, path)
        else:
            assert value is None or isinstance(value, Tensor | bool | int | float | str), path

    trained = agent(0)
    train(trained, range(2))
    check(trained.state_dict(), "state")


@pytest.mark.parametrize(
    "other",
    [
        learner(RewardConfig(), RewardConfig()),
        learner(skill=SkillSpec("continuous", SKILL.dim + 1)),
    ],
    ids=["rewards", "skill"],
)
def test_the_state_of_another_learner_is_refused(other):
    with pytest.raises(ValueError, match="the saved learner has"):
        learner().load_state_dict(other.state_dict())


def test_networks_of_another_size_are_refused():
    with pytest.raises(RuntimeError, match="size mismatch"):
        learner(hidden_dim=16).load_state_dict(learner(hidden_dim=32).state_dict())
