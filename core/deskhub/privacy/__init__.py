"""Customers' rights over their data: export, erasure, and how long anything is kept."""

from deskhub.privacy.eraser import Eraser
from deskhub.privacy.export import exported
from deskhub.privacy.retention import Retention
from deskhub.privacy.systems import Systems

__all__ = ["Eraser", "Retention", "Systems", "exported"]
