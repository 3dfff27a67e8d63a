"""Nested state as one safetensors file: no pickle, and equal states give equal bytes.

Pickled files differ with the identity of the objects in them, so that a resumed run could never
write the same bytes as an uninterrupted one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

_STRUCTURE = "structure"


def encode(tree: Any) -> bytes:
    """Bytes of a tree of dicts (str or int keys), lists, tuples, tensors, arrays and plain values.

    Plain values are None, bool, int, float, str and numpy scalars. Raises TypeError for others.
    """
    tensors: dict[str, Tensor] = {}
    structure = _flatten(tree, tensors, "state")
    return save(tensors, metadata={_STRUCTURE: json.dumps(structure, separators=(",", ":"))})


def decode(path: Path) -> Any:
    """The tree in the file at `path`; tensors are on the CPU and own their memory.

    Raises safetensors.SafetensorError or KeyError for a file that `encode` did not make.
    """
    with safe_open(path, framework="pt") as file:
        structure = json.loads(file.metadata()[_STRUCTURE])
        return _restore(structure, file)


def non_finite_path(tree: Any, path: str = "") -> str | None:
    """Path of the first tensor or array in `tree` with a NaN or infinite value, or None."""
    if isinstance(tree, Mapping):
        pairs = [(str(key), value) for key, value in tree.items()]
    elif isinstance(tree, (list, tuple)):
        pairs = [(str(index), value) for index, value in enumerate(tree)]
    elif isinstance(tree, Tensor):
        return None if not tree.is_floating_point() or tree.isfinite().all() else path
    else:
        return None
    for key, value in pairs:
        found = non_finite_path(value, f"{path}.{key}" if path else key)
        if found is not None:
            return found
    return None


def _flatten(node: Any, tensors: dict[str, Tensor], path: str) -> Any:
    """JSON description of `node`; tensors and arrays go to `tensors` under their path."""
    if isinstance(node, Tensor):
        tensors[path] = node.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(node, np.ndarray):
        tensors[path] = torch.from_numpy(np.ascontiguousarray(node).reshape(node.shape).copy())
        return {"array": path}
    if isinstance(node, np.generic):
        return node.item()
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    if isinstance(node, Mapping):
        if not all(isinstance(key, (str, int)) for key in node):
            raise TypeError(f"{path}: the keys of a saved mapping are str or int")
        items = [[key, _flatten(value, tensors, f"{path}.{key}")] for key, value in node.items()]
        return {"map": items}
    if isinstance(node, (list, tuple)):
        kind = "list" if isinstance(node, list) else "tuple"
        return {kind: [_flatten(item, tensors, f"{path}.{i}") for i, item in enumerate(node)]}
    raise TypeError(f"{path}: cannot save a {type(node).__name__}")


def _restore(node: Any, file: Any) -> Any:
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "map":
        return {key: _restore(value, file) for key, value in content}
    if kind in ("list", "tuple"):
        items = [_restore(item, file) for item in content]
        return items if kind == "list" else tuple(items)
    tensor = file.get_tensor(content).clone()
    return tensor if kind == "tensor" else tensor.numpy()
