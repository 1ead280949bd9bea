"""Every question and announcement of the hub, with its policy and deadline.

An adapter answers by defining a method of the same name marked with `hookimpl`. Arguments
may be left out, never renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import pluggy

from deskhub_sdk.cards import Card
from deskhub_sdk.channel import Delivered, Outgoing
from deskhub_sdk.records import (
    Changes,
    Conversation,
    Customer,
    CustomerMatch,
    ErasedCustomer,
    Identity,
    Message,
    OrderFacts,
    OrderId,
    Principal,
    Record,
    Signal,
    SignedOut,
    SignInRequest,
    SignInResult,
    SuggestedReply,
    Target,
    WebhookRequest,
)

PROJECT = "deskhub"
hookimpl = pluggy.HookimplMarker(PROJECT)
_spec = pluggy.HookspecMarker(PROJECT)


class Policy(StrEnum):
    """How the answers of several adapters become one."""

    COLLECT = "collect"
    GATHER = "gather"
    FIRST = "first"
    VETO = "veto"
    CHAIN = "chain"
    NOTIFY = "notify"
    DIRECT = "direct"


class HookSpec(Record, frozen=True):
    """A hook's policy, its deadline in seconds, and what an error means.

    *error* is ``allow`` or ``refuse`` for vetoes and ``skip`` for everything else.
    *durable* announcements go through the outbox and are repeated until they are taken.
    *leaving* says of arguments what takes their place and with which release they go: asking
    for one warns for two minor releases, and nothing is removed inside a major one.
    """

    name: str
    policy: Policy
    deadline_s: float
    error: str = "skip"
    durable: bool = False
    leaving: Mapping[str, str] = {}


SPECS: dict[str, HookSpec] = {}
F = TypeVar("F", bound=Callable[..., Any])


def hookspec(
    policy: Policy,
    deadline_s: float,
    *,
    error: str = "skip",
    durable: bool = False,
    leaving: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Declare a hook of the hub."""

    def declare(function: F) -> F:
        name = function.__name__
        SPECS[name] = HookSpec(
            name=name, policy=policy, deadline_s=deadline_s, error=error, durable=durable,
            leaving=leaving or {},
        )  # fmt: skip
        return _spec(function)

    return declare


class Hooks:
    """The hub's hooks. Each docstring says when it is called and what an answer means."""

    @hookspec(Policy.GATHER, 0.5)
    async def find_customer(self, identity: Identity) -> Sequence[CustomerMatch]:
        """Return who *identity* may be.

        When: a visitor identifies themselves, never per message.
        Answer: candidates with confidence, best first; an empty sequence means "nobody".
        Deadline: 0.5 s. Several adapters: all candidates are merged, best confidence first.
        Errors: the others' candidates count. Since: SDK 1.0.
        """
        raise AssertionError(identity)

    @hookspec(Policy.GATHER, 0.8)
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return what to show beside *conversation*.

        When: an agent opens a conversation or presses refresh; never per message.
        Answer: cards in the order they should stand; an empty sequence draws nothing.
        Deadline: 0.8 s; a later answer is still shown when it comes.
        Several adapters: every answer is shown as its own panel.
        Errors: the panel says what failed and who can fix it. Since: SDK 1.0.
        """
        raise AssertionError(conversation, customer)

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def conversation_opened(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Learn that a conversation was opened or reopened.

        When: after the commit. Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def conversation_assigned(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Learn that a conversation changed hands; ``conversation.assignee`` is the new one.

        When: after the commit. Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def conversation_closed(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Learn that a conversation was closed.

        When: after the commit. Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def conversation_snoozed(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Learn that a conversation was put away until later.

        When: after the commit. Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def conversation_woken(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Learn that a snoozed conversation was taken up again.

        When: after the commit, by its time, an agent or the customer's next message.
        Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def message_posted(self, message: Message, conversation: Conversation) -> None:
        """Learn that a message was stored.

        When: after the commit, once per message. Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0, durable=True)
    async def action_finished(
        self, action: str, run: str, outcome: str, facts: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Learn that a run ended; *outcome* is ``completed``, ``compensated`` or ``attention``.

        When: after the commit. Answer: none. Deadline: 10 s, then repeated.
        Several adapters: each has its own queue. Errors: repeated. Since: SDK 1.0.
        """

    @hookspec(Policy.NOTIFY, 10.0)
    async def agent_available(self, inbox: str) -> None:
        """Learn that somebody in *inbox* can take a conversation: came online, or has room.

        When: after presence or load changed; several changes may arrive as one.
        Answer: none. Deadline: 10 s. Several adapters: each has its own queue.
        Errors: logged; the next change calls again. Since: SDK 1.0.
        """

    @hookspec(Policy.VETO, 0.05, error="allow")
    async def message_accept(self, message: Message, conversation: Conversation) -> str | None:
        """Refuse a message with a reason, or None to let it pass.

        When: before the commit, once per message; the only hook in a message's way.
        Answer: a sentence for the sender. Deadline: 50 ms.
        Several adapters: any refusal wins. Errors: allow. Since: SDK 1.0.
        """

    @hookspec(Policy.GATHER, 1.5)
    async def suggest_replies(
        self, conversation: Conversation, draft: str, limit: int
    ) -> Sequence[SuggestedReply]:
        """Return at most *limit* texts an agent may send.

        When: an agent asks. Answer: best first. Deadline: 1.5 s.
        Several adapters: all are listed. Errors: skipped. Since: SDK 1.0.
        """
        raise AssertionError(conversation, draft, limit)

    @hookspec(Policy.DIRECT, 2.0)
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Verify a webhook over its raw bytes, then parse it.

        When: for each webhook addressed to this instance, before it is answered.
        Answer: the signals in it; empty for events of no interest.
        Deadline: 2 s. Several adapters: only the addressed one.
        Errors: raise `Forged` when signature, age or address do not hold. Since: SDK 1.0.
        """
        raise AssertionError(request)

    @hookspec(Policy.DIRECT, 10.0)
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Return what is true now of the objects that thin *signals* are about.

        When: after the sender was answered, at most 50 different objects at once.
        Answer: one signal for each object that exists, with its version or rank of now;
        an object that is left out is gone, and nothing is shown.
        Deadline: 10 s. Several adapters: only the one the signals came from.
        Errors: tried again on the schedule of signals. Since: SDK 1.0.
        """
        raise AssertionError(signals)

    @hookspec(Policy.DIRECT, 10.0)
    async def changed_since(self, since: datetime, page: str) -> Changes:
        """Return what changed at the system since *since*, by the system's own clock.

        When: every few minutes, for senders that give up or send no webhooks; *since* lies
        some minutes before the last change that the hub knows. *page* is "" at first.
        Answer: at most 100 signals in any order, and where the next page begins.
        Deadline: 10 s a page. Several adapters: each is asked for itself.
        Errors: asked again at the next turn from the same *since*. Since: SDK 1.0.
        """
        raise AssertionError(since, page)

    @hookspec(Policy.GATHER, 0.3)
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return whom *signal* concerns.

        When: a signal was stored. Answer: customers or conversations.
        Deadline: 0.3 s. Several adapters: all targets are joined.
        Errors: the others' targets count. Since: SDK 1.0.
        """
        raise AssertionError(signal)

    @hookspec(Policy.FIRST, 0.1)
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the card that shows *signal*, or None if it is not yours.

        When: once per applied signal. Answer: one card for all its readers; ``audience``
        says who may see it, ``rev`` must be the object's version.
        Deadline: 0.1 s: build it from the signal. Several adapters: the first card wins.
        Errors: the event is stored without a card. Since: SDK 1.0.
        """

    @hookspec(Policy.VETO, 0.5, error="refuse")
    async def action_authorize(
        self, action: str, subject: str, principal: Principal
    ) -> str | None:
        """Refuse an action on the object *subject* with a reason, or None to let it pass.

        When: at plan and at confirmation. Answer: a sentence for the agent.
        Deadline: 0.5 s. Several adapters: any refusal wins. Errors: refuse. Since: SDK 1.0.
        """

    @hookspec(Policy.GATHER, 1.0)
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what your system says of the shop's *order*, or None when it knows nothing.

        When: an agent compares what the systems say; *subject* is the customer's number.
        Answer: only what you keep yourself; a field left None is no contradiction.
        Deadline: 1 s. Several adapters: side by side, contradictions are marked.
        Errors: the system is shown as not answering. Since: SDK 1.0.
        """
        raise AssertionError(order, subject)

    @hookspec(Policy.DIRECT, 60.0)
    async def deliver(self, outgoing: Outgoing) -> Delivered:
        """Hand an agent's answer over to whoever carries it to its reader.

        When: after the commit, for a conversation that came in over this instance's channel.
        Ask ``ctx.channel.leaving`` right before nothing can hold the answer back.
        Answer: how it ended. Deadline: 60 s; a later one is in doubt and left to a person.
        Several adapters: only the one whose conversation it is.
        Errors: like ``later`` before ``leaving``, and like ``unknown`` after. Since: SDK 1.0.
        """
        raise AssertionError(outgoing)

    @hookspec(Policy.GATHER, 10.0)
    async def export_customer(self, customer: Customer) -> Mapping[str, Any]:
        """Return what your system holds of *customer*, for the customer to read.

        When: a customer's data is exported, once for each record of that person.
        Answer: plain values by name, at most 1 MB; empty when they are not known.
        Deadline: 10 s. Several adapters: each is a part of the document.
        Errors: the document says that this system did not answer. Since: SDK 1.0.
        """
        raise AssertionError(customer)

    @hookspec(Policy.GATHER, 10.0)
    async def erase_customer(self, customer: Customer) -> ErasedCustomer:
        """Erase *customer* in your system; asked again, the answer is the same.

        When: a customer was erased in the hub, once for each record of that person.
        Answer: what was done; it is kept with the erasure and shown.
        Deadline: 10 s. Several adapters: each is asked by itself.
        Errors: asked again with growing pauses for ten days, also after a restart.
        Since: SDK 1.0.
        """
        raise AssertionError(customer)

    @hookspec(Policy.DIRECT, 5.0)
    async def sign_in_start(self, request: SignInRequest) -> str:
        """Return the provider's address to send the browser to.

        When: an agent chooses single sign-on. Deadline: 5 s.
        Several adapters: only the chosen one. Errors: shown to the agent. Since: SDK 1.0.
        """
        raise AssertionError(request)

    @hookspec(Policy.DIRECT, 5.0)
    async def sign_in_finish(
        self, request: SignInRequest, parameters: Mapping[str, str]
    ) -> SignInResult:
        """Exchange the callback's *parameters* for a verified identity.

        When: the browser came back with the right state. Deadline: 5 s.
        Several adapters: only the chosen one. Errors: sign-in fails. Since: SDK 1.0.
        """
        raise AssertionError(request, parameters)

    @hookspec(Policy.DIRECT, 5.0)
    async def sign_out_announced(self, parameters: Mapping[str, str]) -> SignedOut:
        """Verify a provider's announcement that somebody signed out there.

        When: the provider called ``/auth/INSTANCE/signed-out`` (OpenID Connect Back-Channel
        Logout). Answer: whose sessions end. Deadline: 5 s.
        Several adapters: only the addressed one.
        Errors: raise `Forged` when it does not hold; nobody is signed out. Since: SDK 1.0.
        """
        raise AssertionError(parameters)

    @hookspec(Policy.DIRECT, 5.0)
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return facts for a problem report, without secrets and personal data.

        When: an admin asks. Deadline: 5 s. Several adapters: only the chosen one.
        Errors: shown. Since: SDK 1.0.
        """
        raise AssertionError
