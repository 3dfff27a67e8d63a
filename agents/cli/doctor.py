"""`rl-info doctor`: what this machine can do, and how to fix what is missing."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from packaging.requirements import Requirement

Status = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fault` means that training cannot work until `fix` is done."""

    subject: str
    status: Status
    detail: str
    fix: str = ""


def check_python() -> list[Finding]:
    """The interpreter and the operating system."""
    good = sys.version_info >= (3, 11)
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return [
        Finding("python", "ok" if good else "fault", detail, "" if good else "use 3.11 or newer")
    ]


def check_packages() -> list[Finding]:
    """Every declared dependency against the version that is installed."""
    findings = []
    for line in importlib.metadata.requires("rl-info") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        fix = f'pip install "{requirement}"'
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            findings.append(Finding(requirement.name, "fault", "not installed", fix))
            continue
        good = requirement.specifier.contains(version, prereleases=True)
        wanted = "" if good else f", needs {requirement.specifier}"
        findings.append(
            Finding(
                requirement.name, "ok" if good else "fault", version + wanted, "" if good else fix
            )
        )
    return findings


def check_cpu() -> list[Finding]:
    """Cores that this process may use, memory, and instructions that speed up bfloat16."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    findings = [Finding("cpu", "ok", f"{cores} cores, {torch.get_num_threads()} torch threads")]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        findings.append(Finding("memory", "ok", f"{memory:.1f} GiB"))
    capabilities = torch.cpu.get_capabilities()
    if capabilities.get("amx_bf16"):
        findings.append(Finding("bfloat16", "ok", "AMX: fast (--learner.precision bfloat16)"))
    elif capabilities.get("avx512_bf16"):
        findings.append(Finding("bfloat16", "ok", "AVX-512: fast (--learner.precision bfloat16)"))
    else:
        findings.append(Finding("bfloat16", "note", "no hardware support: float32 is faster"))
    return findings


def check_gpu() -> list[Finding]:
    """CUDA devices that torch can see."""
    import torch

    if not torch.cuda.is_available():
        return [
            Finding("gpu", "note", "none that torch can use: physics and learning run on the CPU")
        ]
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [Finding("gpu", "ok", ", ".join(names))]


def check_rendering() -> list[Finding]:
    """Whether one frame can be rendered off-screen, for videos and pixel observations."""
    from envs.gl import INSTALL_HINT, probe_gl

    probe = probe_gl()
    if probe.works:
        return [Finding("rendering", "ok", f"MUJOCO_GL={probe.backend}")]
    return [Finding("rendering", "note", f"no video or pixels ({probe.message})", INSTALL_HINT)]


def check_physics() -> list[Finding]:
    """A second of real stepping, to show that worlds run and how fast."""
    import numpy as np

    import envs

    world = envs.make_vec("dmc/cheetah-run", num_envs=64, seed=0)
    try:
        world.reset()
        action = np.zeros_like(world.action_space.sample())
        world.step(action)
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < 1.0:
            world.step(action)
            steps += 64
        rate = steps / (time.perf_counter() - begin)
    finally:
        world.close()
    return [Finding("physics", "ok", f"dmc/cheetah-run, 64 worlds: {rate:,.0f} env-steps/s")]


def check_disk() -> list[Finding]:
    """Room for runs in the current folder."""
    free = shutil.disk_usage(".").free / 2**30
    if free < 1.0:
        return [
            Finding("disk", "note", f"{free:.2f} GiB free here", "use --run-dir on another disk")
        ]
    return [Finding("disk", "ok", f"{free:.0f} GiB free here")]


CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    check_python,
    check_packages,
    check_cpu,
    check_gpu,
    check_rendering,
    check_physics,
    check_disk,
)


def examine() -> list[Finding]:
    """Run every check; a check that raises becomes a fault that names the error."""
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001 - a report must survive any broken part it reports on
            subject = check.__name__.removeprefix("check_")
            findings.append(Finding(subject, "fault", f"{type(error).__name__}: {error}"))
    return findings


def run(arguments: list[str]) -> int:
    """Print the report; exit code 1 if something keeps training from working."""
    parser = argparse.ArgumentParser(prog="rl-info doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list instead")
    options = parser.parse_args(arguments)
    findings = examine()
    faults = [finding for finding in findings if finding.status == "fault"]
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
        return 1 if faults else 0
    marks: dict[Status, str] = {"ok": "ok  ", "note": "note", "fault": "FAIL"}
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{marks[finding.status]}  {finding.subject:<{width}}  {finding.detail}")
        if finding.fix:
            print(f"{'':<{width + 8}}fix: {finding.fix}")
    print("training works here" if not faults else f"{len(faults)} thing(s) to fix before training")
    return 1 if faults else 0
