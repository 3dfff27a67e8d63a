"""What an update of the imagination learner changes, and what it must leave alone."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any

import pytest
import torch
from imagination_cases import ACTION, FEATURE, OBS, SIGNALS, SKILL, config, learner, sequences

from agents.learners import ImaginationLearner
from agents.learners.latent_empowerment import LatentEmpowerment
from agents.learners.latent_steps import replayed_steps
from agents.training.state_tree import encode
from rl_info.dynamics.representation.infopower import InfoPowerConfig
from rl_info.dynamics.representation.registry import REPRESENTATIONS
from rl_info.rewards.csf import CSFConfig
from rl_info.rewards.empowerment import Empowerment, EmpowermentConfig
from rl_info.rewards.task import TaskConfig
from rl_info.skills import SkillSpec

PARTS = ("model", "actor", "critics.stack", "critics.slow", "scale")


def parameters(agent: ImaginationLearner) -> dict[str, torch.Tensor]:
    modules = agent._parts().modules
    return {name: value.clone() for name, value in modules.state_dict().items()}


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    return {part for part in (*PARTS, "signals") if any(name.startswith(part) for name in moved)}


def test_empowerment_is_refused_where_latents_would_give_the_action_away() -> None:
    with pytest.raises(ValueError, match="'infonce' learns no density of actions"):
        learner(("task", "empowerment"), representation="infonce")
    signal = EmpowermentConfig(input="object_position")
    agent = learner(("empowerment",), settings={"empowerment": signal}, representation="infonce")
    assert isinstance(agent.rewards["empowerment"], Empowerment)
    assert set(agent.model.heads.heads) == {"object_position"}


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_an_update_moves_every_part(representation: str) -> None:
    agent = learner(("task", "rnd"), representation=representation)
    before = parameters(agent)
    for seed in range(2):
        metrics = agent.update(sequences(seed=seed))
    assert changed(before, parameters(agent)) == set(PARTS)
    assert agent.updates == 2
    assert all(value.isfinite() for value in metrics.values())
    for name in ("task", "rnd"):
        for prefix in ("loss/critic/", "value/", "return/", "reward/", "scale/"):
            assert f"{prefix}{name}" in metrics


def test_behaviour_leaves_the_world_model_alone_and_learns_from_it() -> None:
    agent = learner(("task",))
    batch = sequences()
    _, posterior = agent.model.learn(batch, agent.generator)
    with torch.inference_mode():
        imagined = agent._imagine(posterior, batch)
        before = parameters(agent)
        agent._learn_actor(
            agent.state(imagined.steps.obs, imagined.steps.skill), imagined.drawn,
            torch.randn(len(imagined.drawn)), imagined.weight.flatten(),
        )  # fmt: skip
        assert changed(before, parameters(agent)) == {"actor"}
        before = parameters(agent)
        agent._learn_behaviour(imagined)
    assert changed(before, parameters(agent)) == {"actor", "critics.stack", "critics.slow", "scale"}
    before = parameters(agent)
    agent.model.learn(batch, agent.generator)
    assert changed(before, parameters(agent)) == {"model"}


@pytest.mark.parametrize(
    "name", ["metra", "lsd", "diayn", "dads", "apt", "rnd", "disagreement", "csf", "cic", "aps"]
)
def test_any_intrinsic_reward_values_latents(name: str) -> None:
    skill = SkillSpec("continuous", 4)
    agent = learner((name,), skill=skill)
    state = agent.terms.state_dict()["modules"]
    before = {key: value.clone() for key, value in state.items()}
    metrics = agent.update(sequences(rows=8, skill=skill))
    assert metrics[f"value/{name}"].isfinite()
    assert metrics[f"reward/{name}"].isfinite()
    assert any(not torch.equal(before[key], value) for key, value in state.items())


def test_rewards_that_read_signals_get_them_from_heads() -> None:
    agent = learner(("lsd", "reach", "safety"), settings={"lsd": lsd_of_objects()})
    assert set(agent.model.heads.heads) == set(SIGNALS)
    before = parameters(agent)
    batch = sequences()
    agent.update(batch)
    assert "signals" in changed(before, parameters(agent))
    constant = {name: torch.full_like(value, 0.7) for name, value in batch.signals.items()}
    agent = learner(("safety",), model_learning_rate=3e-3, model_warm_up=1)
    for _ in range(80):
        _, posterior = agent.model.learn(
            dataclasses.replace(batch, signals=constant), agent.generator
        )
    read = agent.model.signals(posterior.feature.flatten(0, 1))["violation"]
    torch.testing.assert_close(read, torch.full_like(read, 0.7), atol=0.1, rtol=0.0)


def lsd_of_objects() -> Any:
    from rl_info.rewards.lsd import LSDConfig

    return LSDConfig(input="object_position")


def test_steps_across_episodes_are_left_out() -> None:
    batch = sequences(rows=8)
    feature = torch.arange(8 * 6).view(8, 6, 1).float()
    steps = replayed_steps(feature, batch)
    assert len(steps.obs) == int((~batch.is_first[:, 1:]).sum())
    assert (steps.next_obs - steps.obs == 1).all()
    rows = steps.next_obs[:, 0].long()
    assert torch.equal(steps.action, batch.action.flatten(0, 1)[rows])
    assert torch.equal(steps.skill, batch.skill.flatten(0, 1)[rows])
    assert torch.equal(
        steps.signals["violation"], batch.signals["violation"].flatten(0, 1)[rows - 1]
    )


def test_empowerment_is_the_model_s_own_where_it_tells_actions() -> None:
    assert isinstance(learner(("empowerment",)).rewards["empowerment"], LatentEmpowerment)
    other = learner(("empowerment",), representation="mudreamer")
    assert isinstance(other.rewards["empowerment"], LatentEmpowerment)
    agent = learner(("empowerment",))
    batch = sequences()
    _, posterior = agent.model.learn(batch, agent.generator)
    with torch.inference_mode():
        imagined = agent._imagine(posterior, batch)
        steps, model = imagined.steps, agent.model.model
        policy = agent._policy(steps.obs, steps.skill)
        z = [model.latent(feature).flat_stoch for feature in (steps.obs, steps.next_obs)]
        told = model.objective.densities.inverse_log_prob(*z, steps.action)
        expected = told - policy.log_prob(imagined.drawn)
        found = agent.rewards["empowerment"](steps)
    torch.testing.assert_close(found, expected)


def test_a_weight_of_zero_takes_empowerment_out_of_the_policy() -> None:
    actors = []
    for reward in ("empowerment", "rnd"):
        settings = {reward: type(default(reward))(weight=0.0), "task": TaskConfig(discount=0.9)}
        agent = learner(("task", reward), settings=settings, critic_sharing="none")
        agent.update(sequences())
        actors.append(agent.actor.net.flat.clone())
    assert torch.equal(*actors)


def default(reward: str) -> Any:
    from rl_info.rewards import REWARDS

    return REWARDS[reward].config()


@pytest.mark.parametrize("term", ["information", "forward", "reward", "empowerment", "constraint"])
def test_every_term_of_infopower_has_a_switch(term: str) -> None:
    off = learner(("task",), world_model=_model(InfoPowerConfig(**{term: False})))
    # The reward head starts at zero, where nothing flows back through it: one step more.
    for seed in range(2):
        off.model.learn(sequences(seed=seed), off.generator)
    assert not torch.equal(off.model.model.rssm.recurrence.posterior_embed, _with_all_terms())


@functools.cache
def _with_all_terms() -> torch.Tensor:
    agent = learner(("task",), world_model=_model(InfoPowerConfig()))
    for seed in range(2):
        agent.model.learn(sequences(seed=seed), agent.generator)
    return agent.model.model.rssm.recurrence.posterior_embed


def _model(objective: InfoPowerConfig) -> Any:
    return dataclasses.replace(config().world_model, objective=objective)


def test_a_saved_learner_goes_on_as_the_original() -> None:
    agent = learner(("task", "empowerment", "metra"), seed=3)
    agent.update(sequences())
    again = learner(("task", "empowerment", "metra"), seed=4)
    saved = agent.state_dict()
    again.load_state_dict(copy.deepcopy(saved))
    for each in (agent, again):
        each.update(sequences(seed=1))
    assert encode(agent.state_dict()) == encode(again.state_dict())
    with pytest.raises(ValueError, match="the saved learner has sizes"):
        learner(("task",)).load_state_dict(saved)


def test_commanded_weights_weigh_each_step() -> None:
    from agents.learners import RewardTerm
    from rl_info.rewards import build_reward
    from rl_info.rewards.base import RewardContext

    context = RewardContext(FEATURE, ACTION, SKILL, SIGNALS)
    terms = {
        name: RewardTerm(
            build_reward(name, context, default(name), torch.Generator().manual_seed(0)),
            default(name),
        )
        for name in ("task", "safety")
    }
    agent = ImaginationLearner(OBS, ACTION, SKILL, terms, config(), commandable_weights=True)
    metrics = agent.update(sequences(skill=SkillSpec("continuous", SKILL.dim + 2)))
    assert metrics["loss/actor"].isfinite()
    assert agent.state.width == FEATURE + SKILL.dim + 2 + 1


def test_successor_features_are_read_by_the_skill() -> None:
    agent = learner(("csf", "task"), settings={"csf": CSFConfig()})
    assert agent.terms.outputs == SKILL.dim
    metrics = agent.update(sequences())
    assert metrics["value/csf"].isfinite()


def test_images_are_perceived_channels_first_and_learned_channels_last() -> None:
    from agents.learners import RewardTerm
    from rl_info.rewards import build_reward
    from rl_info.rewards.base import RewardContext

    context = RewardContext(FEATURE, ACTION, SkillSpec())
    module = build_reward("task", context, TaskConfig(), torch.Generator())
    terms = {"task": RewardTerm(module, TaskConfig())}
    agent = ImaginationLearner((64, 64, 3), ACTION, SkillSpec(), terms, config())
    pictures = torch.randint(0, 256, (2, 3, 3, 64, 64), dtype=torch.uint8)
    perception = agent.perception(0)
    features = []
    for t in range(3):
        features.append(perception.perceive(pictures[:, t]))
        perception.took(torch.full((2, ACTION), 0.5))
    model = agent.model.model
    batch = sequences(rows=2, steps=3, skill=SkillSpec())
    batch = dataclasses.replace(
        batch, obs=pictures.movedim(2, -1).contiguous(),
        action=torch.full((2, 3, ACTION), 0.5), is_first=torch.tensor([[True, False, False]] * 2),
    )  # fmt: skip
    observed = model.observe(batch.for_model(), generator=torch.Generator().manual_seed(0))
    # Draws differ in order, but what is seen of pictures alone, the posterior's logits, does not.
    state = perception.state_dict()["state"]
    torch.testing.assert_close(state[2], observed.posterior.logits[:, 2], atol=1e-4, rtol=1e-4)
    assert agent.update(batch)["loss/actor"].isfinite()


def test_perception_forgets_at_the_start_of_an_episode() -> None:
    agent = learner(("task",), representation="reconstruction")
    obs = torch.randn(4, 3, OBS)
    worn, fresh = agent.perception(0), agent.perception(0)
    for t in range(3):
        worn.perceive(obs[t])
        worn.took(torch.ones(3, ACTION))
    worn.forget(torch.tensor([True, False, True]))
    seen, alone = worn.perceive(obs[3]), fresh.perceive(obs[3])
    deter = agent.model.model.rssm.size.deter
    same = (seen[:, :deter] == alone[:, :deter]).all(dim=1)
    assert same.tolist() == [True, False, True]


def test_bad_settings_are_refused() -> None:
    for fields, message in (
        ({"horizon": 0}, "horizon must be at least 1"),
        ({"sequence_length": 1}, "sequence_length must be at least 2"),
        ({"value_bins": 64}, "value_bins must be odd"),
        ({"normalise_observations": True}, "latents, which are bounded"),
        ({"lambda_": 1.5}, "lambda_ must be in"),
    ):
        with pytest.raises(ValueError, match=message):
            config(**fields)
    changed_objective = dataclasses.replace(
        config().world_model, representation="barlow", objective=InfoPowerConfig(least=-5.0)
    )
    with pytest.raises(ValueError, match="'barlow' has settings of its own"):
        config(world_model=changed_objective)
    untouched = dataclasses.replace(changed_objective, objective=InfoPowerConfig())
    assert type(config(world_model=untouched).world_model.objective).__name__ == "BarlowConfig"
    with pytest.raises(ValueError, match="weight above 0"):
        learner(("empowerment",), settings={"empowerment": EmpowermentConfig(weight=0.0)})
