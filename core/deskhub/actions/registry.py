"""The action types of one hub, by id: the shipped ones and those that adapters bring."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from deskhub.actions.kinds import SHIPPED
from deskhub.actions.kinds.vendor import gone, of_adapter
from deskhub.actions.types import ActionType
from deskhub.errors import NotFound
from deskhub_sdk.actions import ActionSpec


class Registry:
    """The action types of this hub: the same for all tenants, and each tenant's adapters'."""

    def __init__(
        self,
        types: Sequence[ActionType] = SHIPPED,
        brought: Callable[[str], Iterable[ActionSpec]] = lambda _tenant: (),
    ) -> None:
        """Hold *types*, an id once; *brought* says what a tenant's adapters add."""
        self._types: Mapping[str, ActionType] = {kind.id: kind for kind in types}
        self._brought = brought
        if len(self._types) != len(types):
            raise ValueError("two action types have the same id")

    def get(self, type_id: str, tenant: str) -> ActionType:
        """Return the type. Raises `NotFound` when *tenant* has no such type."""
        found = self._types.get(type_id) or self._of_adapters(tenant).get(type_id)
        if found is None:
            raise NotFound(f"action type {type_id!r}")
        return found

    def past(self, type_id: str, tenant: str) -> ActionType:
        """Return the type of something that was planned, also when its adapter is gone."""
        found = self._types.get(type_id) or self._of_adapters(tenant).get(type_id)
        return found or gone(type_id)

    def all(self, tenant: str) -> tuple[ActionType, ...]:
        """Return every type of *tenant*: the shipped ones first."""
        return (*self._types.values(), *self._of_adapters(tenant).values())

    def _of_adapters(self, tenant: str) -> Mapping[str, ActionType]:
        return {spec.id: of_adapter(spec) for spec in self._brought(tenant)}
