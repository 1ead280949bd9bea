"""What drives an adapter without a hub: the demo world, simulators and a given context."""

from deskhub_sdk.testing.context import GivenContext, given_context
from deskhub_sdk.testing.faults import Fault
from deskhub_sdk.testing.simulator import Answer, Hook, Simulator, body_of, refuse
from deskhub_sdk.testing.world import World, build_world

__all__ = [
    "Answer", "Fault", "GivenContext", "Hook", "Simulator", "World",
    "body_of", "build_world", "given_context", "refuse",
]  # fmt: skip
