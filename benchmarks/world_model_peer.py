"""The world-model update of R2-Dreamer's public code, from a checkout of it, for comparison.

Its own modules, losses and optimiser do the work; only the order of calls, that of its training
step without the actor and critic, is written here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

STOCH, CLASSES, DETER, HIDDEN, DEPTH, UNITS = 32, 16, 2048, 256, 16, 256
LAYER = {"act": "SiLU", "norm": True}


def infonce_update(
    folder: Path, shape: tuple[int, int, int], action_dim: int, device: str
) -> Callable[[dict[str, Any]], None]:
    """A function that makes one world-model update of its `infonce` variant at size12M.

    It takes image (B, T, H, W, C) uint8, action, reward (B, T, 1), terminal and first (B, T, 1).
    Raises FileNotFoundError if `folder` is no checkout.
    """
    if not (folder / "rssm.py").exists():
        raise FileNotFoundError(f"{folder} holds no rssm.py: give a checkout of NM512/r2dreamer")
    sys.path.insert(0, str(folder))
    networks, rssm, optim = (
        importlib.import_module(name) for name in ("networks", "rssm", "optim")
    )
    common = {"units": UNITS, "symlog_inputs": False, "device": device, "name": "head", **LAYER}
    cnn = SimpleNamespace(kernel_size=5, depth=DEPTH, mults=[2, 3, 4, 4], **LAYER)
    encoder = networks.MultiEncoder(
        SimpleNamespace(mlp_keys="$^", cnn_keys="image", cnn=cnn), {"image": shape}
    )
    model = rssm.RSSM(
        SimpleNamespace(
            stoch=STOCH, deter=DETER, hidden=HIDDEN, discrete=CLASSES, img_layers=2,
            obs_layers=1, dyn_layers=1, blocks=8, unimix_ratio=0.01, initial="learned",
            device=device, **LAYER,
        ),
        encoder.out_dim,
        action_dim,
    )  # fmt: skip
    reward = networks.MLPHead(
        SimpleNamespace(
            shape=(255,), layers=1, outscale=0.0,
            dist=SimpleNamespace(name="symexp_twohot", bin_num=255), **common,
        ),
        model.feat_size,
    )  # fmt: skip
    goes_on = networks.MLPHead(
        SimpleNamespace(
            shape=(1,), layers=1, outscale=1.0, dist=SimpleNamespace(name="binary"), **common
        ),
        model.feat_size,
    )
    project = networks.Projector(model.feat_size, encoder.out_dim)
    modules = torch.nn.ModuleList([encoder, model, reward, goes_on, project]).to(device)
    parameters = list(modules.parameters())
    optimiser = optim.LaProp(parameters, lr=4e-5, betas=(0.9, 0.999), eps=1e-20)

    def update(data: dict[str, Any]) -> None:
        rows, steps = data["first"].shape[:2]
        embed = encoder({"image": data["image"].float() / 255.0})
        stoch, deter, post = model.observe(
            embed, data["action"], model.initial(rows), data["first"].squeeze(-1)
        )
        _, prior = model.prior(deter)
        dynamics, representation = model.kl_loss(post, prior, 1.0)
        feature = model.get_feat(stoch, deter)
        scores = project(feature.flatten(0, 1)) @ embed.flatten(0, 1).detach().T
        labels = torch.arange(rows * steps, device=scores.device)
        contrast = torch.nn.functional.cross_entropy(
            scores - scores.max(dim=1, keepdim=True).values, labels
        )
        rewarded = -reward(feature).log_prob(data["reward"]).mean()
        continued = -goes_on(feature).log_prob(1.0 - data["terminal"].float()).mean()
        loss = dynamics.mean() + 0.1 * representation.mean() + contrast + rewarded + continued
        loss.backward()
        optim.clip_grad_agc_(parameters, 0.3, 1e-3, foreach=True)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return update
