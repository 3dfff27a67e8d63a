"""The agent that fine-tuning starts from, and what a learner takes over from it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from agents.errors import UsageError
from agents.finetune.config import FinetuneConfig
from agents.hierarchy.interface import Interface
from agents.hierarchy.trained import TrainedAgent, require_acting, trained_agent
from agents.learners import MultiCriticPPO, MultiCriticSAC
from agents.training.algorithms import algorithm_name
from agents.training.checkpoint import MANIFEST
from agents.training.config import TrainConfig
from agents.training.contracts import Learner
from agents.training.run_folder import read_config
from envs.vector_world import VectorWorld

FLAG = "--finetune.run"
POLICY_SETTINGS = ("hidden_dim", "hidden_layers", "normalise_observations")
"""Settings of the learner that the policy cannot change."""
TRUNK_SETTINGS = ("critic_sharing", "layer_norm", "ensemble_size")
"""Those that the hidden layers of the critics cannot change either."""


class Pretrained:
    """The policy, normaliser and critics of a finished run, to be learned on from.

    Raises UsageError if the folder is not that of a run, is damaged, or if the settings of the new
    run are such that its learner cannot take them over.
    """

    def __init__(self, config: TrainConfig) -> None:
        assert config.finetune.run is not None
        folder = Path(config.finetune.run)
        self._agent: TrainedAgent = trained_agent(folder, FLAG, _require_tunable)
        self._trunk = config.finetune.critics == "trunk"
        self._temperature = config.finetune.temperature == "source"
        differences = list(_differences(config, self._agent.origin.config))
        if differences:
            raise UsageError(f"{FLAG} {folder}: {'; '.join(differences)}")

    def hand_over(self, learner: Learner, world: VectorWorld) -> None:
        """Make the learner act as the pre-trained agent does.

        That is its policy, its normaliser, and its temperature if it has one and the settings want
        it. Optimisers, rewards and generators stay as they are. Raises ValueError if
        `world` shows or does something else than the worlds that the agent was trained in, and
        CorruptRunError if its state is not of the sizes in its settings, TypeError for a learner
        without critics.
        """
        if not isinstance(learner, MultiCriticSAC | MultiCriticPPO):
            raise TypeError(f"{type(learner).__name__} cannot take over a policy")
        self._check_world(Interface.of(world))
        state = learner.state_dict()
        modules = dict(state["modules"])
        try:
            for name in ("actor", "normaliser"):
                for key, value in self._agent.module(name).items():
                    modules[f"{name}.{key}"] = value
            if self._temperature and _TEMPERATURE in modules:
                modules[_TEMPERATURE] = self._agent.learner["modules"].get(
                    _TEMPERATURE, modules[_TEMPERATURE]
                )
            if self._trunk:
                critics = self._with_trunk(learner)
                modules |= {name: critics for name in _CRITICS if name in modules}
            learner.load_state_dict({**state, "modules": modules})
        except (ValueError, KeyError, RuntimeError) as error:
            raise self._agent.misfit(error) from error

    def describe(self) -> dict[str, Any]:
        """Where the agent comes from, as plain data."""
        origin = self._agent.origin
        manifest = json.loads((self._agent.path / MANIFEST).read_text())
        return {
            "taken_from": origin.folder,
            "checkpoint": self._agent.path.name,
            "checkpoint_sha256": manifest["sha256"],
            "agent": origin.config.agent,
            "env_steps": origin.env_steps,
            "interface": asdict(origin.interface),
            "critics": "trunk" if self._trunk else "fresh",
        }

    def _check_world(self, world: Interface) -> None:
        own = self._agent.origin.interface
        columns = own.columns_in(world).tolist()
        if columns == list(range(sum(world.observation.values()))):
            return
        extra = [name for name in world.observation if name not in own.observation]
        reason = (
            f"observations of {world.env} have {', '.join(extra)} besides"
            if extra
            else f"the parts of the observations of {world.env} have another order"
        )
        raise ValueError(
            f"the policy of {self._agent.origin.folder} was trained in {own.env} and cannot be "
            f"fine-tuned in {world.env}: {reason}; --hierarchy.skills uses its skills there"
        )

    def _with_trunk(self, learner: MultiCriticSAC | MultiCriticPPO) -> Float[Tensor, " F"]:
        """Parameters of the learner's critics with the hidden layers of the pre-trained ones."""
        saved, net = self._agent.learner, learner.critics.net
        outputs = len(saved["names"]) * saved["shape"].get("features", 1)
        theirs = dataclasses.replace(net.layout, outputs=outputs).layers(saved["modules"][_CRITIC])
        flat = net.flat.detach().clone()
        ours = net.layout.layers(flat)
        for own, other in zip(
            (ours.input_weight, *ours.weights, *ours.biases),
            (theirs.input_weight, *theirs.weights, *theirs.biases),
            strict=True,
        ):
            own.copy_(other)
        return flat


_TEMPERATURE = "temperature.log"
_CRITIC = "critics.net.flat"
_CRITICS = (_CRITIC, "target_critics.net.flat")


def _require_tunable(config: TrainConfig) -> None:
    require_acting(config)
    if config.commandable_weights:
        raise UsageError("the policy of this run is told weights, which a task has none of")


def find_pretrained(config: TrainConfig) -> Pretrained | None:
    """The agent that the settings start from; None if they name none."""
    return None if config.finetune.run is None else Pretrained(config)


def follow(config: TrainConfig, finetune: FinetuneConfig) -> TrainConfig:
    """`config`, starting from the run that `finetune` names, with all that must be as there.

    The skill and the sizes of the networks are those of that run, and so are the environment and
    its options, which may differ as long as the policy sees and does the same.

    Raises UsageError if the folder is not that of a run.
    """
    assert finetune.run is not None
    try:
        source = read_config(Path(finetune.run))
    except UsageError as error:
        raise UsageError(f"{FLAG} {finetune.run}: {error}") from error
    followed = _followed(config, source, finetune)
    learner = {name: getattr(source.learner, name) for name in followed}
    return dataclasses.replace(
        config,
        env=source.env,
        env_options=source.env_options,
        skill=source.skill,
        learner=dataclasses.replace(config.learner, **learner),
        finetune=finetune,
    )


def _followed(config: TrainConfig, source: TrainConfig, finetune: FinetuneConfig) -> list[str]:
    """Settings of the learner that must be those of the source."""
    names = POLICY_SETTINGS + (TRUNK_SETTINGS if finetune.critics == "trunk" else ())
    return [
        name for name in names if hasattr(config.learner, name) and hasattr(source.learner, name)
    ]


def _differences(config: TrainConfig, source: TrainConfig) -> Iterator[str]:
    """What keeps the learner of `config` from taking over that of `source`."""
    pairs: dict[str, tuple[Any, Any]] = {
        "skill.kind": (config.skill.kind, source.skill.kind),
        "skill.dim": (config.skill.dim, source.skill.dim),
    }
    for name in _followed(config, source, config.finetune):
        pairs[f"learner.{name}"] = (getattr(config.learner, name), getattr(source.learner, name))
    for name, (asked, needed) in pairs.items():
        if asked != needed:
            flag = f"--{name.replace('_', '-')}"
            yield f"its {name} is {needed}, not {asked}: leave out {flag}"
    if config.finetune.critics == "fresh":
        return
    kinds = {algorithm_name(each.learner) for each in (config, source)}
    if len(kinds) > 1:
        yield (
            f"it was trained with {algorithm_name(source.learner)}, whose critics are of another "
            "kind: leave out --finetune.critics trunk"
        )
    for each in (config, source):
        if each.learner.critic_sharing != "trunk":
            yield (
                f"the critics of {each.agent} share no hidden layers: "
                "leave out --finetune.critics trunk"
            )
            return
