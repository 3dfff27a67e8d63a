"""I(S;Z): how much of its skill an episode tells, in nats."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from agents.evaluation.coverage import AXES
from agents.evaluation.objects import OBJECTS
from agents.evaluation.rollouts import Rollouts
from agents.evaluation.skill_episodes import few_valued
from agents.evaluation.statistics import CONFIDENCE, Interval
from rl_info.estimators.ksg import local_information
from rl_info.estimators.local import prepare
from rl_info.estimators.mixed_neighbours import label_information
from rl_info.skills import SkillSpec

NEIGHBOURS = 3
HALVES = 100
"""Random halves of the episodes behind an interval."""
PERMUTATIONS = 99
"""Permutations of the skills behind the null."""


def skill_information(rollouts: Rollouts, spec: SkillSpec, seed: int) -> dict[str, Any]:
    """I(S;Z) in nats of what an episode leaves behind and its skill, with intervals, by name of S.

    S is the floor position at the end (`final_position`), its mean over the steps
    (`mean_position`), how far and where it went from the start (`displacement`), and the same of
    all objects (`object_displacement`) where there are any. Discrete skills: Ross 2014; continuous
    ones: KSG 2004, which can hold no more than about ln N nats.

    Beside each stands what a policy that ignores its skill would show in as many episodes
    (`nats_if_ignored`, see `ignored_skill_interval`), and the p-value of the permutation test of
    that: I(S;Z) that does not rise above it is none that was measured.

    These are of the policy's mode: where worlds start alike and move without noise, skills that
    differ by a hair are told apart fully. How far they differ, coverage and displacement say.

    Raises ValueError for an agent without skills or a world without positions.
    """
    if spec.kind == "none":
        raise ValueError("an agent without skills has no I(S;Z)")
    outcomes = episode_outcomes(rollouts)
    labels = few_valued(spec)
    counted = np.unique(rollouts.skills, axis=0)
    found, ignored, p_values = {}, {}, {}
    for name, outcome in outcomes.items():
        policy = information_interval(outcome, rollouts.skills, spec, seed)
        null = permuted_information(outcome, rollouts.skills, spec, seed)
        found[name] = asdict(policy)
        ignored[name] = asdict(ignored_skill_interval(null, len(outcome)))
        p_values[name] = float((1 + (null >= policy.value).sum()) / (1 + len(null)))
    return {
        "episodes": len(rollouts.lengths),
        "estimator": "Ross 2014 (label and vector)" if labels else "KSG 2004",
        "neighbours": NEIGHBOURS,
        "ceiling_nats": math.log(len(counted)) if labels else None,
        "interval": f"normal, from the spread of {HALVES} random halves of the episodes",
        "permutations": PERMUTATIONS,
        "nats": found,
        "nats_if_ignored": ignored,
        "p_value": p_values,
    }


def episode_outcomes(rollouts: Rollouts) -> dict[str, Float64[np.ndarray, "N _"]]:
    """What S can be, one row for each episode, in metres."""
    positions = rollouts.positions
    if positions is None:
        raise ValueError("I(S;Z) needs the signal 'position'")
    floor = positions[..., :AXES].astype(np.float64)
    after = floor[:, 1:]
    running = np.arange(after.shape[1]) < rollouts.lengths[:, None]
    outcomes = {
        # Rows after the end of an episode repeat its last state.
        "final_position": floor[:, -1],
        "mean_position": (after * running[..., None]).sum(axis=1) / rollouts.lengths[:, None],
        "displacement": floor[:, -1] - floor[:, 0],
    }
    objects = rollouts.signals.get(OBJECTS)
    if objects is not None:
        outcomes["object_displacement"] = objects[:, -1].astype(np.float64) - objects[:, 0]
    return outcomes


def information_interval(
    outcome: Float[np.ndarray, "N S"],
    skills: Float[np.ndarray, "N Z"],
    spec: SkillSpec,
    seed: int = 0,
) -> Interval:
    """I(S;Z) in nats with a normal interval, from N episodes.

    The standard deviation is that of the estimate on random halves of the episodes, each skill's
    halved for itself: drawn without replacement, because repeated samples would be neighbours at no
    distance. Deleting half needs no rescaling (delete-d jackknife, Shao and Wu 1989; subsampling of
    KSG: Holmes and Nemenman 2019, arXiv 1903.09280). It knows the spread, not the bias. For K
    discrete skills everything is cut at ln K, which I(S;Z) cannot exceed.
    Raises ValueError for fewer than 8 episodes of a discrete skill, or in all.
    """
    estimate, groups, ceiling = _method(outcome, skills, spec)
    if min(map(len, groups)) < 8:
        raise ValueError("I(S;Z) needs at least 8 episodes of each skill")
    random = np.random.default_rng(seed)
    halves = [
        estimate(np.concatenate([random.permutation(group)[: len(group) // 2] for group in groups]))
        for _ in range(HALVES)
    ]
    everything = np.concatenate(groups)
    value, spread = estimate(everything), float(np.std(halves, ddof=1))
    half_width = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * spread
    low, high = value - half_width, value + half_width
    return Interval(min(value, ceiling), min(low, ceiling), min(high, ceiling), len(everything))


def permuted_information(
    outcome: Float[np.ndarray, "N S"],
    skills: Float[np.ndarray, "N Z"],
    spec: SkillSpec,
    seed: int = 0,
) -> Float64[np.ndarray, " P"]:
    """The estimates of I(S;Z) in nats, were the skills ignored: a null by permutation, not a run.

    Each of the P = `PERMUTATIONS` gives the episodes the skills of others, whole episodes at a
    time. Outcomes, skills and their numbers stay; any dependence between them goes. What is left
    is the floor of the estimator for this sample, its bias and its spread.
    """
    random = np.random.default_rng(seed)
    estimates = []
    for _ in range(PERMUTATIONS):
        estimate, groups, _ = _method(outcome, random.permutation(skills), spec)
        estimates.append(estimate(np.concatenate(groups)))
    return np.array(estimates)


def ignored_skill_interval(null: Float64[np.ndarray, " P"], episodes: int) -> Interval:
    """Mean of the permuted estimates and the quantiles between which 95% of them lie.

    Where a single estimate would lie if the skill were ignored; not a confidence interval.
    """
    low, high = np.quantile(null, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(null.mean()), float(low), float(high), episodes)


Estimate = Callable[[Int64[np.ndarray, " M"]], float]
"""I(S;Z) from the episodes of these numbers."""


def _method(
    outcome: Float[np.ndarray, "N S"], skills: Float[np.ndarray, "N Z"], spec: SkillSpec
) -> tuple[Estimate, list[Int64[np.ndarray, " _"]], float]:
    """The estimator, the groups of episodes that are halved alone, and the most it can be."""
    place = prepare(torch.from_numpy(np.asarray(outcome, dtype=np.float64)), "standard")
    if few_valued(spec):
        labels = np.unique(skills, axis=0, return_inverse=True)[1].reshape(-1)
        groups = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]

        def of_labels(rows: Int64[np.ndarray, " M"]) -> float:
            return float(label_information(labels[rows], place[rows], NEIGHBOURS).mean())

        return of_labels, groups, math.log(len(groups))
    vectors = prepare(torch.from_numpy(skills), "standard")

    def of_vectors(rows: Int64[np.ndarray, " M"]) -> float:
        return float(local_information(place[rows], vectors[rows], NEIGHBOURS, "euclidean").mean())

    return of_vectors, [np.arange(len(place))], math.inf
