"""Lets these tests use the helpers of the log's own tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "provenance"))
