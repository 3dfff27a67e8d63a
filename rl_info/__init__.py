"""What is information worth: estimators, objectives, rewards and dynamics built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rl_info.estimators.choose import mutual_information

__all__ = ["__version__", "mutual_information"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # torch takes seconds to import, which `rl-info --help` should not.
    if name == "mutual_information":
        from rl_info.estimators.choose import mutual_information

        return mutual_information
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
