"""All parts of a run in memory, and their state under names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch

from agents.evaluation.commanded_policy import under_weights
from agents.evaluation.rollouts import SkillPolicy
from agents.finetune.build import collection
from agents.finetune.choice import SkillChoice
from agents.finetune.policy import HeldSkillPolicy
from agents.finetune.pretrained import Pretrained
from agents.hierarchy.build import policy_of_steps, world_of_decisions
from agents.hierarchy.skills import Skills
from agents.training.acting import PerceivingPolicy, perceiving
from agents.training.algorithms import ALGORITHMS, algorithm_name
from agents.training.assembly import build_learner, make_world, reward_context
from agents.training.batches import Batches
from agents.training.collector import Collector
from agents.training.config import TrainConfig
from agents.training.contracts import Learner, Observer
from agents.training.errors import NonFiniteStateError
from agents.training.loop import Intervals, TrainingLoop
from agents.training.replay import Replay
from agents.training.seeding import derive_seed, numpy_generator, torch_generator
from agents.training.sequence_replay import SequenceReplay
from agents.training.skill_sampler import SkillSampler
from agents.training.state_tree import non_finite_path
from agents.training.weight_commands import weight_commands
from envs.vector_world import VectorWorld
from rl_info.skills import SkillSpec


@dataclass(frozen=True)
class Session:
    """Worlds, learner, replay and collector of one run."""

    config: TrainConfig
    world: VectorWorld
    learner: Learner
    replay: Replay | SequenceReplay
    collector: Collector
    batches: Batches
    skills: Skills | None = None
    """What the learner chooses from, if it does not act itself."""
    choice: SkillChoice | None = None
    """Which skill the agent holds, if it started from another one."""
    acting: PerceivingPolicy | None = None
    """What acts in the training worlds, if not the learner itself."""

    @classmethod
    def build(
        cls,
        config: TrainConfig,
        skills: Skills | None = None,
        pretrained: Pretrained | None = None,
    ) -> Session:
        """Fresh parts in which nothing has happened yet; raises ValueError for bad settings.

        With `skills`, the learner acts by choosing among them. It starts as `pretrained` acts; a
        session that a saved state is to be loaded into can do without.
        """
        seed = derive_seed(config.seed, "worlds")
        task_world = make_world(config, config.num_envs, seed)
        world = world_of_decisions(task_world, skills, config.hierarchy, seed)
        try:
            context = reward_context(config, world)
            learner = build_learner(config, context)
            if pretrained is not None:
                pretrained.hand_over(learner, world)
            needed = {name for reward in learner.rewards.values() for name in reward.requires}
            signals = {name: width for name, width in world.signal_dims.items() if name in needed}
            commands = weight_commands(config)
            told = config.skill.dim + (0 if commands is None else commands.dim)
            algorithm = ALGORITHMS[algorithm_name(config.learner)]
            replay = algorithm.replay(config, context, told, signals, learner.device)
            batches = algorithm.batches(config, replay)
            if config.finetune.run is not None:
                assert isinstance(replay, Replay)
                collector, batches, choice = collection(config, world, learner, replay, batches)
                return cls(config, world, learner, replay, collector, batches, choice=choice)
            sampler = SkillSampler(
                config.skill,
                config.num_envs,
                torch_generator(config.seed, "skills"),
                config.skill_steps,
                commands,
            )
            warmup = numpy_generator(config.seed, "warmup")
            collector = Collector(world, replay, sampler, warmup, config.warmup_steps)
            acting = perceiving(learner, learner, derive_seed(config.seed, "perception"))
        except BaseException:
            world.close()
            raise
        remembering = None if acting is learner else acting
        return cls(config, world, learner, replay, collector, batches, skills, acting=remembering)

    @property
    def varied_skill(self) -> SkillSpec:
        """The skills that tell episodes apart: none where one is held."""
        return self.config.skill if self.choice is None else SkillSpec()

    def policy(self, world: VectorWorld) -> SkillPolicy:
        """What acts in worlds of the task, such as `world`, one env step at a time."""
        if self.choice is not None:
            return HeldSkillPolicy(self.learner, self.choice)
        learner = under_weights(self.learner, weight_commands(self.config))
        policy = policy_of_steps(learner, self.skills, self.config.hierarchy, world)
        seed = derive_seed(self.config.seed, "perception/evaluation")
        return cast(SkillPolicy, perceiving(self.learner, policy, seed))

    def loop(self, observer: Observer) -> TrainingLoop:
        """The loop over these parts."""
        config = self.config
        return TrainingLoop(
            collector=self.collector,
            learner=self.learner,
            batches=self.batches,
            intervals=Intervals(
                config.log_interval, config.eval_interval, config.checkpoint_interval
            ),
            observer=observer,
            policy=self.acting,
        )

    def start(self) -> None:
        """Begin the first episodes."""
        self.collector.reset(derive_seed(self.config.seed, "worlds"))

    def close(self) -> None:
        """Close the worlds."""
        self.world.close()

    def state_dict(self) -> dict[str, Any]:
        """The state of every part; raises NonFiniteStateError if the learner's is not sound."""
        learner = self.learner.state_dict()
        path = non_finite_path(learner)
        if path is not None:
            raise NonFiniteStateError(path)
        states = {
            "learner": learner,
            "replay": self.replay.state_dict(),
            "collector": self.collector.state_dict(),
            "worlds": self._worlds_state(),
        }
        if self.acting is not None:
            states["acting"] = self.acting.state_dict()
        return states

    def load_state_dict(self, states: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.learner.load_state_dict(states["learner"])
        self.replay.load_state_dict(states["replay"])
        self.collector.load_state_dict(states["collector"])
        if self.acting is not None:
            self.acting.load_state_dict(states["acting"])
        if states["worlds"] is None:
            if self.acting is not None:
                self.acting.forget(torch.ones(self.config.num_envs, dtype=torch.bool))
            step = self.collector.env_steps
            self.collector.cut_episodes(derive_seed(self.config.seed, f"worlds/{step}"))
        else:
            self.world.load_state_dict(states["worlds"])

    def _worlds_state(self) -> dict[str, Any] | None:
        """None for worlds that keep their state to themselves: resuming cuts their episodes."""
        try:
            return self.world.state_dict()
        except NotImplementedError:
            return None
