"""Mutual information by whichever estimator suits the samples, with the reason for the choice."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rl_info.estimators.base import Estimate, Progress
from rl_info.estimators.choice import Choice, read_choice
from rl_info.estimators.copula_diagnostics import diagnose_copula, diagnose_normality
from rl_info.estimators.inputs import DiscreteDataWarning, Samples, check_pair
from rl_info.estimators.plug_in import discrete_information, row_labels
from rl_info.estimators.registry import build_estimator
from rl_info.estimators.student_diagnostics import diagnose_student

Values = Tensor | np.ndarray
"""Samples of one variable: (N,) or (N, D), floats, or integers that are labels."""
AUTO = "auto"
PLUG_IN = "plug_in"
ASKED_FOR = "asked for by name"
LEVEL = 0.001
"""Below this p-value the samples count as not normal: a false alarm costs more than the few small
departures that only a higher level would find."""
REGULARISED = {"hidden_dim": 64, "weight_decay": 0.1}
"""Settings of learned densities that overfit less where dependence is weak."""
FEWEST_SAMPLES_TO_TEST = 50
"""Fewer samples than these pass tests of normality whatever their law."""
MOST_DIMENSIONS_OF_NEIGHBOURS = 6
"""Columns of x and y together up to which distances between neighbours are trusted."""
FEWEST_SAMPLES_OF_TAILS = 200
"""Samples from which tests tell a Student-t law from others well enough."""
FEWEST_SAMPLES_TO_LEARN = 1000
"""Samples from which a learned model is worth its variance."""
MOST_DIMENSIONS_OF_BINS = 3
"""Columns of x and y together up to which bins hold enough samples."""


@dataclass(frozen=True, kw_only=True)
class ChosenEstimate(Estimate):
    """An estimate that says where it comes from."""

    estimator: str
    """Name of the estimator."""
    reason: str
    """Why this one."""


def mutual_information(
    x: Values,
    y: Values,
    estimator: str = AUTO,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    **settings: Any,
) -> ChosenEstimate:
    """I(X;Y) in nats of paired samples (N,) or (N, D), with its standard error and its origin.

    With `estimator` "auto" it is chosen from N, the dimensions and tests of the samples (see
    `choose_estimator`); otherwise it is the one of that name, with `settings` of its own.
    Estimators that learn are asked about a quarter of the samples that they did not learn from, and
    call `progress` with (steps taken, most steps). Two integer arrays are counted as labels under
    "auto", which "plug_in" asks for by name. Same seed, same samples: same bits on the CPU.

    Raises ValueError for samples that cannot be used, an unknown estimator, and settings without
    an estimator; TypeError for unknown settings.
    """
    if estimator == AUTO:
        if settings:
            raise ValueError(
                f"settings {', '.join(settings)} belong to one estimator: name it, as in "
                "estimator='ksg'"
            )
        labels = _integers(x), _integers(y)
        if all(labels):
            return _plug_in(x, y, "x and y hold integers, which are counted as labels")
        if any(labels):
            x, y = _as_float(x), _as_float(y)
        choice = choose_estimator(x, y, seed=seed)
    elif estimator == PLUG_IN:
        if settings or not (_integers(x) and _integers(y)):
            raise ValueError(
                "plug_in counts labels and has no settings: give integer x and y, or take "
                "adaptive_binning for floats"
            )
        return _plug_in(x, y, ASKED_FOR)
    else:
        choice = Choice(estimator, ASKED_FOR, settings)
    if estimator == AUTO:
        choice, found = read_choice(choice, x, y, seed=seed, device=device, progress=progress)
    else:
        built = build_estimator(estimator, seed=seed, device=device, **settings)
        built.progress = progress
        found = built.fit_estimate(x, y)
    return ChosenEstimate(
        found.value,
        found.std_error,
        found.bound,
        found.quantiles,
        estimator=choice.estimator,
        reason=choice.reason,
    )


def choose_estimator(x: Samples, y: Samples, *, seed: int = 0) -> Choice:
    """The estimator that suits float samples (N, X) and (N, Y), from what the samples show.

    In this order: columns of few distinct values, or none that changes, are counted in bins;
    samples that pass tests of normality get canonical correlations, those whose ranks do get them
    of normal scores; those that pass tests of a Student-t law, at least 200, get its closed form,
    with neighbours as its rival; up to six columns in all leave it to neighbours; more than that
    to learned densities if there are at least 1000 samples, with neighbours as their rival, else to
    neighbours alone, and both with a caution: of dependence in many columns that is not normal,
    each finds a part. The tests see little where samples are few, and dependence that hides among
    many irrelevant columns may pass for none.

    Raises ValueError for samples that cannot be used.
    """
    with warnings.catch_warnings():
        # The chosen estimator checks the samples again, and warns of what concerns it.
        warnings.simplefilter("ignore")
        left, right = check_pair(x, y)
    samples, columns = left.shape[0], left.shape[1] + right.shape[1]
    for name, side in (("x", left), ("y", right)):
        if (side == side[:1]).all():
            return Choice("adaptive_binning", f"{name} never changes, so it tells nothing")
    if _looks_discrete(left, right) and columns <= MOST_DIMENSIONS_OF_BINS:
        return Choice("adaptive_binning", "some columns hold few distinct values")
    if samples >= columns + 2:
        normal = _normal_choice(left, right, seed)
        if normal is not None:
            return normal
    if samples >= max(FEWEST_SAMPLES_OF_TAILS, 2 * columns + 4):
        heavy = _student_choice(left, right, seed)
        if heavy is not None:
            return heavy
    return _non_normal_choice(samples, left.shape[1], right.shape[1])


def _normal_choice(x: Tensor, y: Tensor, seed: int) -> Choice | None:
    """Canonical correlations where tests find nothing that they miss."""
    left, right = (value.double().numpy(force=True) for value in (x, y))
    few = len(left) < FEWEST_SAMPLES_TO_TEST
    doubt = f"; {len(left)} samples would hardly show otherwise" if few else ""
    # Before the ranks, whose ties of order hide how close to a line strong dependence is.
    p_raw = diagnose_normality(left, right, np.random.default_rng(seed)).p_value
    if p_raw >= LEVEL:
        return Choice("cca", f"tests of joint normality pass (p = {p_raw:.2g}){doubt}")
    copula = diagnose_copula(left, right, np.random.default_rng(seed))
    if copula.p_value < LEVEL:
        return None
    return Choice(
        "gaussian_copula",
        "single columns are not normal, but their ranks depend on each other as those of normal "
        f"variables do (p = {copula.p_value:.2g}){doubt}",
    )


def _student_choice(x: Tensor, y: Tensor, seed: int) -> Choice | None:
    """The closed form of a Student-t law where tests find nothing that it misses."""
    try:
        found = diagnose_student(x, y, np.random.default_rng(seed))
    except ValueError:
        # No such law has a density on these samples; other estimators need none.
        return None
    if found.p_value < LEVEL:
        return None
    return Choice(
        "student",
        f"not normal, but tests of a joint Student-t law with {found.degrees_of_freedom:.3g} "
        f"degrees of freedom pass (p = {found.p_value:.2g})",
        rival=Choice(
            "ksg",
            "tests of a joint Student-t law pass, yet neighbours find more than it holds",
            {"margins": "rank"},
        ),
    )


def _non_normal_choice(samples: int, x_dims: int, y_dims: int) -> Choice:
    columns = x_dims + y_dims
    shape = f"not normal, {columns} columns in all, {samples} samples"
    if columns <= MOST_DIMENSIONS_OF_NEIGHBOURS:
        return Choice("ksg", f"{shape}: few enough for neighbours", {"margins": "rank"})
    doubt = (
        f"of dependence in {columns} columns that is not normal, neighbours and learned densities "
        "find a part; give more samples or fewer columns"
    )
    if samples < FEWEST_SAMPLES_TO_LEARN:
        return Choice(
            "ksg",
            f"{shape}: too few samples to learn from, so neighbours, which read low here",
            {"margins": "rank"},
            likely_low=doubt,
        )
    return Choice(
        "difference_of_entropies",
        f"{shape}: too many columns for neighbours, enough samples for learned densities",
        REGULARISED,
        swapped=x_dims < y_dims,
        rival=Choice(
            "ksg",
            f"{shape}: neighbours find more than learned densities",
            {"margins": "rank"},
            likely_low=doubt,
        ),
        likely_low=doubt,
    )


def _looks_discrete(x: Tensor, y: Tensor) -> bool:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_pair(x, y)
    return any(issubclass(item.category, DiscreteDataWarning) for item in caught)


def _plug_in(x: Values, y: Values, reason: str) -> ChosenEstimate:
    """Shares of labels, one label for each distinct row."""
    left, right = (torch.as_tensor(value).long().cpu() for value in (x, y))
    for name, value in (("x", left), ("y", right)):
        if value.ndim not in (1, 2) or value.shape[0] < 2:
            raise ValueError(f"{name} has shape {tuple(value.shape)}; expected (N,) or (N, D)")
    if left.shape[0] != right.shape[0]:
        raise ValueError(f"x has {left.shape[0]} samples and y has {right.shape[0]}")
    left, right = (row_labels(value.reshape(len(value), -1)) for value in (left, right))
    found = discrete_information(left, right)
    return ChosenEstimate(
        found.value,
        found.std_error,
        found.bound,
        estimator=PLUG_IN,
        reason=reason,
    )


def _integers(samples: Values) -> bool:
    tensor = torch.as_tensor(samples)
    return not (tensor.is_floating_point() or tensor.is_complex())


def _as_float(samples: Values) -> Tensor:
    tensor = torch.as_tensor(samples)
    return tensor if tensor.is_floating_point() else tensor.double()
