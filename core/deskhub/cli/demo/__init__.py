"""``deskhub demo``: five business systems, an identity provider, a shop and the hub."""

from deskhub.cli.demo.command import demo

__all__ = ["demo"]
