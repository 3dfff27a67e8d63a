"""Shape and type checks of every annotated tensor, for tests only.

The import hook would break `torch.compile(fullgraph=True)` and cost time in training, so the
packages carry annotations and only the tests enforce them.
"""

from __future__ import annotations

import os

# Tests make many small products, for which a second thread only waits; parallel workers of pytest
# would wait for each other. Must be set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import install_import_hook

from envs.gl import configure_gl

if os.environ.get("RL_INFO_TYPECHECK", "1") == "1":
    install_import_hook(["rl_info", "agents"], "beartype.beartype")
configure_gl()
