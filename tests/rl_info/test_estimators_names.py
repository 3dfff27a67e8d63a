"""What a user finds in `rl_info.estimators` without knowing its modules."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rl_info.estimators as estimators
from rl_info.estimators import ESTIMATORS, Estimator, EstimatorConfig, EstimatorWarning

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def defined_in_package() -> list[object]:
    """Whatever the package's modules define at their top."""
    found = []
    for module in pkgutil.walk_packages(estimators.__path__, estimators.__name__ + "."):
        loaded = importlib.import_module(module.name)
        found += [each for each in vars(loaded).values() if _home(each) == module.name]
    return found


def _home(value: object) -> str | None:
    return getattr(value, "__module__", None)


@pytest.mark.parametrize("name", estimators.__all__)
def test_every_name_imports(name: str):
    namespace: dict[str, object] = {}
    exec(f"from rl_info.estimators import {name}", namespace)
    assert not inspect.ismodule(namespace[name])
    assert name in dir(estimators)


def test_every_estimator_config_and_warning_is_exported():
    classes = [each for each in defined_in_package() if inspect.isclass(each)]
    kinds = (EstimatorConfig, EstimatorWarning)
    wanted = {each.__name__ for each in classes if issubclass(each, kinds)}
    wanted |= {entry.estimator.__name__ for entry in ESTIMATORS.values()}  # type: ignore[attr-defined]
    wanted |= {each.__name__ for each in classes if issubclass(each, Estimator)}
    assert len(wanted) > 2 * len(ESTIMATORS)
    assert wanted <= set(estimators.__all__)


def test_every_bound_entropy_and_composition_is_exported():
    ends = re.compile(r"^[a-z]\w*(_bound|_correlation|_entropy|^entropy_\w+|_information)$")
    functions = [each for each in defined_in_package() if inspect.isfunction(each)]
    wanted = {each.__name__ for each in functions if ends.match(each.__name__)}
    # Local terms, without a mean or an error, are for other parts of the package.
    wanted -= {"local_entropy", "local_information"}
    assert {"flo_bound", "total_correlation", "discrete_entropy"} <= wanted
    assert wanted <= set(estimators.__all__)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'ksg_estimator'"):
        estimators.ksg_estimator  # noqa: B018


def test_names_on_demand_cost_nothing_until_asked_for():
    script = (
        "import sys, rl_info.estimators as package\n"
        "late = [f'{package.__name__}.{each}' for each in set(package._ON_DEMAND.values())]\n"
        "assert late and not set(late) & set(sys.modules)\n"
        "package.total_correlation\n"
        "assert package.__name__ + '.compositions' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)


def readme_names() -> list[tuple[str, str]]:
    """Modules, and names of them, that README mentions in prose, commands and code."""
    modules = set(re.findall(r"(?:`|-m )(rl_info(?:\.\w+)+)", README))
    found = {(module, "") for module in modules}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "rl_info":
                found |= {(str(node.module), alias.name) for alias in node.names}
    return sorted(found)


@pytest.mark.parametrize(("module", "name"), readme_names())
def test_what_readme_mentions_is_importable(module: str, name: str):
    loaded = importlib.import_module(module)
    assert not name or hasattr(loaded, name)


def test_readme_mentions_the_package_and_its_one_function():
    assert ("rl_info", "mutual_information") in readme_names()
    assert ("rl_info.estimators", "") in readme_names()


def test_readme_counts_the_estimators():
    assert f"holds {len(ESTIMATORS)} estimators" in README
