"""Deskhub: a self-hosted support desk with pluggable business systems."""

__version__ = "0.1.0"
