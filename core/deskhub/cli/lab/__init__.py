"""``deskhub lab``: real systems that nobody here wrote, from registry packages, on loopback."""

from __future__ import annotations
