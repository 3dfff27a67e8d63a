"""Settings as plain data and back, refusing what does not fit."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, Union

from agents.errors import UsageError, nearest
from agents.learners.network_config import NetworkConfig
from agents.training.algorithms import ALGORITHMS, algorithm_name
from agents.training.config import OptionValue, TrainConfig
from rl_info.rewards import REWARDS

T = TypeVar("T")

ALGORITHM = "algorithm"
"""Beside the settings of a learner: which algorithm they belong to."""


def to_data(config: Any) -> Any:
    """Nested dicts and lists of plain values that JSON can hold."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        kind = {ALGORITHM: algorithm_name(config)} if isinstance(config, NetworkConfig) else {}
        return kind | {
            item.name: to_data(getattr(config, item.name)) for item in dataclasses.fields(config)
        }
    if isinstance(config, Mapping):
        return {name: to_data(value) for name, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [to_data(value) for value in config]
    return config


def flatten(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Pairs of dotted name and value, such as ("learner.hidden_dim", 256)."""
    for name, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def train_config_from_data(data: Any) -> TrainConfig:
    """The settings in `data`, as `to_data` made it.

    Raises UsageError for an unknown name (with the nearest right one), an unknown reward, and a
    value of the wrong type; raises ValueError for settings that cannot work together.
    """
    data = dict(_mapping(data, "config"))
    rewards = {}
    for name, settings in _mapping(data.pop("rewards", {}), "rewards").items():
        if name not in REWARDS:
            raise UsageError(f"unknown reward {name!r}; {nearest(name, REWARDS)}")
        rewards[name] = from_data(REWARDS[name].config, settings, f"rewards.{name}")
    options = _mapping(data.pop("env_options", {}), "env_options")
    for name, value in options.items():
        _convert(OptionValue, value, f"env_options.{name}")
    learner = _learner_from_data(data.pop("learner", {ALGORITHM: "sac"}))
    config = from_data(TrainConfig, data, "")
    return dataclasses.replace(config, rewards=rewards, env_options=dict(options), learner=learner)


def _learner_from_data(data: Any) -> NetworkConfig:
    settings = dict(_mapping(data, "learner"))
    name = settings.pop(ALGORITHM, None)
    if name not in ALGORITHMS:
        hint = nearest(str(name), ALGORITHMS)
        raise UsageError(f"unknown learning algorithm learner.{ALGORITHM} {name!r}; {hint}")
    return from_data(ALGORITHMS[name].config, settings, "learner")


def from_data(kind: type[T], data: Any, path: str) -> T:
    """A dataclass of type `kind` from plain data; errors as in `train_config_from_data`."""
    hints = typing.get_type_hints(kind)
    # Settings whose types depend on others say so themselves.
    types_of = getattr(kind, "field_types", None)
    if types_of is not None:
        hints |= types_of(_mapping(data, path or "config"))
    known = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in _mapping(data, path or "config").items():
        where = f"{path}.{name}" if path else name
        if name not in known:
            raise UsageError(f"unknown setting {where!r}; {nearest(name, known)}")
        values[name] = _convert(hints[name], value, where)
    return kind(**values)


def _convert(kind: Any, value: Any, path: str) -> Any:
    """`value` as an instance of the annotated type `kind`, without loss."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return from_data(typing.cast(type, kind), value, path)
    if origin in (Union, types.UnionType):
        for choice in arguments:
            try:
                return _convert(choice, value, path)
            except UsageError:
                continue
    elif origin is Literal:
        if value in arguments:
            return value
    elif origin is dict and isinstance(value, Mapping):
        return {
            name: _convert(arguments[1], item, f"{path}.{name}") for name, item in value.items()
        }
    elif origin is tuple and isinstance(value, list) and arguments[1:] == (Ellipsis,):
        return tuple(_convert(arguments[0], item, path) for item in value)
    elif origin is tuple and isinstance(value, list) and len(value) == len(arguments):
        pairs = zip(arguments, value, strict=True)
        return tuple(_convert(each, item, path) for each, item in pairs)
    elif kind is float and type(value) in (int, float):
        return float(value)
    elif type(value) is kind:
        return value
    expected = "null" if kind is type(None) else getattr(kind, "__name__", str(kind))
    raise UsageError(f"{path} is {value!r}, expected {expected}")


def _mapping(data: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise UsageError(f"{path} is {data!r}, expected named settings")
    return data
