"""A process with the settings of tests leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_process_without_servers_leaves_no_directory(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CHATSYSTEM_DATA_DIR"}
    code = "from django.conf import settings; assert settings.DATA_DIR.is_dir(); print(settings.DATA_DIR)"
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env={**environment, "TMPDIR": str(tmp_path)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert Path(made.stdout.strip()).parent == tmp_path
    assert list(tmp_path.iterdir()) == []
