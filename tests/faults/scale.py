"""How long the fault tests take: short in every run, ``DESKHUB_CHAOS`` times as long on request."""

from __future__ import annotations

import os

SCALE = float(os.environ.get("DESKHUB_CHAOS", "1"))
