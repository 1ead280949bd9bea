"""What a person decides about a run that no machine may decide about."""

from __future__ import annotations

from typing import Any, get_args

from deskhub.actions.calls import call_for, one_line, plain, ref_of, spec_of
from deskhub.actions.choices import Choice, Do, checkable, choices
from deskhub.actions.journal import Journal, wake_steps
from deskhub.actions.moves import BACK, FORWARD, unsettled
from deskhub.actions.outcome import classify
from deskhub.actions.ports import StepRunner, Transactions, Tx
from deskhub.actions.registry import Registry
from deskhub.actions.words import run_sentence, run_title, truths
from deskhub.chat.commands import AddNote
from deskhub.clock import Clock
from deskhub.errors import Conflict, Invalid, NotFound
from deskhub.identity.model import Principal
from deskhub.store import audit, runs
from deskhub.store.runs import AttemptRow, RunRow, StepRow

MAX_REASON = 500


class Resolutions:
    """Applies a person's decision, with a reason where a person states a fact."""

    def __init__(
        self,
        store: Transactions,
        journal: Journal,
        steps: StepRunner,
        types: Registry,
        clock: Clock,
    ) -> None:
        """Write to *store* through *journal*'s announcements, look up through *steps*."""
        self._store = store
        self._journal = journal
        self._steps = steps
        self._types = types
        self._clock = clock

    async def resolve(self, principal: Principal, run: RunRow, do: str, reason: str) -> RunRow:
        """Return the run after *do*; a run that can go on is free for any worker.

        Raises `Conflict` when *do* is not among its choices now, `Invalid` without a needed
        reason.
        """
        choice = _chosen(run, do, reason)
        found = await self._look(run) if choice.do == "check" else {}
        # Who says "again" accepts the versions that are there now.
        versions = {
            step.id: self._steps.version(run.tenant, ref_of(run, step)) for step in run.steps
        }

        def work(tx: Tx) -> RunRow:
            now = runs.load_run(tx.connection, tx.tenant, run.id)
            if now is None or now.state != run.state or now.rev != run.rev:
                raise Conflict(f"run {run.id} moved on")
            if choice.do == "hand_over":
                self._hand_over(tx, principal, now, reason)
            else:
                decision = _Decision(tx, now, principal, reason, versions)
                decision.apply(choice.do, found)
            runs.update_run(tx.connection, tx.tenant, run.id, rev=now.rev + 1)
            _audit(tx, principal, now, choice.do, reason)
            return self._journal.tell(tx, run.id)

        return await self._store.transact(run.tenant, work)

    async def _look(self, run: RunRow) -> dict[str, tuple[str, AttemptRow, dict[str, Any]]]:
        """Ask every system whose step is unknown; nothing is changed anywhere."""
        found = {}
        for step in checkable(run):
            at, started = self._clock.now(), self._clock.monotonic()
            fact: dict[str, Any] = {}
            try:
                answer = await self._steps.lookup(
                    run.tenant, ref_of(run, step), call_for(run, step)
                )
            except Exception as error:  # noqa: BLE001  an adapter's failure is an answer
                failed = classify(error)
                state, ok, code, text = "unknown", False, failed.code, failed.text
            else:
                state = "rejected" if answer is None else "done"
                fact = {} if answer is None else plain(answer)
                ok, code = True, "ok"
                text = "It has not happened." if answer is None else ""
            ms = (self._clock.monotonic() - started) * 1000
            found[step.id] = (state, AttemptRow(0, "lookup", at, ms, ok, code, text), fact)
        return found

    def _hand_over(self, tx: Tx, principal: Principal, run: RunRow, reason: str) -> None:
        """Leave a note with the exact half-state; the run stays in a person's hands."""
        kind = self._types.past(run.type, run.tenant)
        state = truths(run)
        lines = [
            f"{run_title(kind, run)}: {run_sentence(kind, run)}",
            f"Handed over by {principal.name or principal.id}: {reason}",
            *[f"✓ {text}" for text in state["done"]],
            *[f"✕ {text}" for text in state["not_done"]],
            *[f"? {text}" for text in state["unknown"]],
        ]
        note = AddNote(run.conversation, "\n".join(lines))
        tx.chat(principal, note, f"{run.id}-note-{run.rev}")


class _Decision:
    """One decision inside its transaction."""

    def __init__(
        self,
        tx: Tx,
        run: RunRow,
        principal: Principal,
        reason: str,
        versions: dict[str, str | None],
    ) -> None:
        self._versions = versions
        self._tx = tx
        self._run = run
        self._who = principal.name or principal.id
        self._reason = reason

    def apply(self, do: Do, found: dict[str, tuple[str, AttemptRow, dict[str, Any]]]) -> None:
        """Change the steps, then let the run go on where it can."""
        if do == "check":
            self._check(found)
        elif do == "retry":
            self._retry()
        elif do == "go_on":
            wake_steps(self._tx, self._run)
            self._go_on(FORWARD)
        elif do == "undo":
            # Nobody waits any more for what is being taken back.
            wake_steps(self._tx, self._run)
            self._go_on(BACK)
        else:
            self._mark_done()

    def _check(self, found: dict[str, tuple[str, AttemptRow, dict[str, Any]]]) -> None:
        left = {step.id for step in unsettled(self._run)}
        for step_id, (state, attempt, fact) in found.items():
            runs.add_attempt(
                self._tx.connection, self._run.tenant, self._run.id, step_id, attempt
            )
            values: dict[str, Any] = {"state": state}
            if state == "done":
                values |= {"fact": fact, "result": one_line(fact), "ended_at": self._tx.now}
                left.discard(step_id)
            elif state == "rejected":
                values |= {"result": attempt.text}
                if self._run.direction == BACK:
                    left.discard(step_id)
            self._set(step_id, values)
        if not left:
            self._go_on(self._run.direction)

    def _retry(self) -> None:
        for step in unsettled(self._run):
            values: dict[str, Any] = {"state": _state_for_retry(step, self._run)}
            version = self._versions.get(step.id)
            if version is not None:
                values["version"] = version
            self._set(step.id, {**values, "ended_at": None})
        self._go_on(self._run.direction)

    def _mark_done(self) -> None:
        back = self._run.direction == BACK
        words = "Taken back by hand" if back else "Done by hand"
        text = f"{words}, says {self._who}: {self._reason}"
        for step in unsettled(self._run):
            attempt = AttemptRow(
                0, "person", self._tx.now, 0.0, ok=True, code="by_hand", text=text
            )
            runs.add_attempt(
                self._tx.connection, self._run.tenant, self._run.id, step.id, attempt
            )
            values: dict[str, Any] = {"result": text, "ended_at": self._tx.now}
            if back:
                values["state"] = "rejected" if step.state == "rejected" else "undone"
            else:
                known = {} if step.state == "waiting" else step.fact
                values |= {"state": "done", "fact": known or {}}
            self._set(step.id, values)
        self._go_on(self._run.direction)

    def _go_on(self, direction: str) -> None:
        """Free the run for any worker, with a new fence so that no old one can write."""
        runs.update_run(
            self._tx.connection,
            self._run.tenant,
            self._run.id,
            state="compensating" if direction == BACK else "running",
            direction=direction,
            fence=self._run.fence + 1,
            owner="",
            lease_until=self._tx.now,
            cause=self._run.cause if direction == FORWARD else self._run.cause or self._reason,
        )

    def _set(self, step: str, values: dict[str, Any]) -> None:
        runs.update_step(self._tx.connection, self._run.tenant, self._run.id, step, **values)


def _state_for_retry(step: StepRow, run: RunRow) -> str:
    """Return the state from which the engine takes the step up again, doubts included."""
    if step.state == "undo_failed":
        return "undo_intent"
    if run.direction == BACK:
        return step.state
    if step.state in ("rejected", "held", "waiting") or spec_of(step).dedupe == "none":
        return "planned"
    return "intent"


def _chosen(run: RunRow, do: str, reason: str) -> Choice:
    if do not in get_args(Do):
        text = f"One of {', '.join(get_args(Do))}."
        raise Invalid(do, fields=({"path": "do", "code": "choice", "text": text},))
    choice = next((choice for choice in choices(run) if choice.do == do), None)
    if choice is None:
        raise Conflict(f"{do} is not possible for run {run.id} in state {run.state}")
    if choice.needs_reason and not reason:
        problem = {"path": "reason", "code": "required", "text": "Please say why."}
        raise Invalid("reason", fields=(problem,))
    if len(reason) > MAX_REASON:
        problem = {"path": "reason", "code": "too_long", "text": f"At most {MAX_REASON}."}
        raise Invalid("reason", fields=(problem,))
    return choice


def _audit(tx: Tx, principal: Principal, run: RunRow, do: str, reason: str) -> None:
    audit.record(
        tx.connection,
        tx.tenant,
        tx.now,
        actor=principal.by,
        what=f"action.resolve.{do}",
        object_=run.object,
        data={"run": run.id, "reason": reason, "steps": {s.id: s.state for s in run.steps}},
    )


def found_run(run: RunRow | None, run_id: str) -> RunRow:
    """Return *run*. Raises `NotFound` when there is none."""
    if run is None:
        raise NotFound(f"run {run_id}")
    return run
