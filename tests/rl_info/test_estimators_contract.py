"""What every registered estimator must do, whatever it is."""

from __future__ import annotations

import math
import warnings
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from rl_info.estimators import ESTIMATORS, Estimator, build_estimator
from rl_info.estimators.inputs import ConstantColumnWarning, EstimatorWarning

SAMPLES = 300
BOUNDS = {"lower", "upper", "none"}
STEPS = 5


def pair(dtype: torch.dtype = torch.float64, samples: int = SAMPLES) -> tuple[Tensor, Tensor]:
    """Correlated normals, two columns each."""
    generator = torch.Generator().manual_seed(7)
    x, noise = torch.randn(2, samples, 2, generator=generator, dtype=torch.float64)
    return x.to(dtype), (0.8 * x + 0.6 * noise).to(dtype)


def short(name: str, seed: int = 0) -> Estimator:
    """The estimator with its default settings, but hardly trained."""
    entry = ESTIMATORS[name]
    config = entry.config()
    if "steps" in {field.name for field in fields(config)}:
        config = replace(config, steps=STEPS)
    return entry.estimator(config, seed=seed)


def fitted(name: str, x: Tensor, y: Tensor, seed: int = 0) -> Estimator:
    estimator = short(name, seed)
    return estimator.fit(x, y) if estimator.learns else estimator


@pytest.fixture(params=list(ESTIMATORS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.EstimatorWarning")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_estimate_is_finite_with_its_bound_and_the_same_bits_again(name: str, dtype: torch.dtype):
    x, y = pair(dtype)
    first = short(name).fit_estimate(x, y)
    assert math.isfinite(first.value)
    assert math.isfinite(first.std_error)
    assert first.std_error >= 0
    assert first.bound == ESTIMATORS[name].estimator.bound  # type: ignore[attr-defined]
    assert first.bound in BOUNDS
    again = short(name).fit_estimate(x, y)
    assert (again.value, again.std_error) == (first.value, first.std_error)


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.EstimatorWarning")
def test_arrays_and_vectors_are_samples_too(name: str):
    x, y = (part[:, 0] for part in pair())
    of_tensors = fitted(name, x, y).estimate(x, y)
    arrays = x.numpy(), y.numpy()
    estimator = short(name)
    of_arrays = (estimator.fit(*arrays) if estimator.learns else estimator).estimate(*arrays)
    assert of_arrays.value == of_tensors.value


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.EstimatorWarning")
def test_global_random_state_is_neither_read_nor_moved(name: str):
    x, y = pair()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = short(name).fit_estimate(x, y).value
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert short(name).fit_estimate(x, y).value == first


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.EstimatorWarning")
@pytest.mark.parametrize("call", ["fit", "estimate"])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda x, y: (x.index_put((torch.tensor(3), torch.tensor(1)), x.new_tensor(math.nan)), y),
         r"x\[3, 1\].*not finite"),
        (lambda x, y: (x, torch.full_like(y, math.inf)), "y.*not finite"),
        (lambda x, y: (x, y[:-1]), "belong"),
        (lambda x, y: (x[:1], y[:1]), "too few|at least"),
        (lambda x, y: (x.round().long(), y), "int64"),
        (lambda x, y: (x[:, :, None], y), "shape"),
    ],
    ids=["nan", "infinite", "lengths", "too few", "integers", "shape"],
)  # fmt: skip
def test_unusable_samples_are_refused(name: str, call: str, fault, message: str):
    x, y = pair()
    estimator = short(name) if call == "fit" else fitted(name, x, y)
    with pytest.raises(ValueError, match=message):
        getattr(estimator, call)(*fault(x, y))


@pytest.mark.filterwarnings("ignore::rl_info.estimators.inputs.NotABoundWarning")
def test_constant_columns_are_warned_of(name: str):
    x, y = pair()
    x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EstimatorWarning)
        estimator = fitted(name, x, y)
    with pytest.warns(ConstantColumnWarning, match=r"x never changes in column\(s\) \[2\]"):
        value = estimator.estimate(x, y).value
    assert math.isfinite(value)


def test_what_learns_must_be_fitted_first(name: str):
    if not ESTIMATORS[name].estimator.learns:  # type: ignore[attr-defined]
        pytest.skip("does not learn")
    with pytest.raises(RuntimeError, match="fit"):
        short(name).estimate(*pair())


def test_config_is_described_and_frozen(name: str):
    entry = ESTIMATORS[name]
    assert entry.description
    assert "\n" not in entry.description
    config = entry.config()
    for field in fields(config):
        with pytest.raises(AttributeError):
            setattr(config, field.name, getattr(config, field.name))
    assert isinstance(entry.estimator(), Estimator)


def test_unknown_names_and_foreign_configs_are_refused():
    first, second = list(ESTIMATORS)[:2]
    with pytest.raises(ValueError, match=f"did you mean '{first}'"):
        build_estimator(first + "x")
    with pytest.raises(TypeError, match=ESTIMATORS[first].config.__name__):
        build_estimator(first, ESTIMATORS[second].config())
    with pytest.raises(TypeError, match="not both"):
        build_estimator(first, ESTIMATORS[first].config(), anything=1)
    with pytest.raises(TypeError):
        build_estimator(first, no_such_setting=1)
