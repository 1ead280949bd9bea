"""Wrong passwords are bounded for each pair, address and e-mail."""

from __future__ import annotations

import pytest

from deskhub.identity.attempts import PER_ADDRESS, PER_EMAIL, PER_PAIR, WINDOW_S, Attempts
from deskhub.identity.errors import SignInLocked
from tests.identity.clock import TestClock


def wrong(attempts: Attempts, email: str, address: str, times: int = 1) -> int:
    """Try a wrong password *times*; return how often it was evaluated."""
    evaluated = 0
    for _ in range(times):
        try:
            with attempts.attempt(email, address):
                evaluated += 1
        except SignInLocked:
            continue
    return evaluated


def test_a_pair_has_a_small_limit() -> None:
    assert wrong(Attempts(TestClock()), "a@x", "1.1.1.1", 200) == PER_PAIR


def test_one_address_does_not_lock_an_agent_out_everywhere() -> None:
    attempts = Attempts(TestClock())
    wrong(attempts, "a@x", "6.6.6.6", 200)

    assert wrong(attempts, "a@x", "1.1.1.1") == 1


def test_an_address_that_tries_many_names_is_stopped() -> None:
    attempts = Attempts(TestClock())

    assert sum(wrong(attempts, f"{n}@x", "6.6.6.6") for n in range(200)) == PER_ADDRESS


def test_a_name_tried_from_many_addresses_is_stopped() -> None:
    attempts = Attempts(TestClock())

    assert sum(wrong(attempts, "a@x", f"10.0.0.{n}") for n in range(200)) == PER_EMAIL


def test_the_lock_says_how_long_and_then_opens() -> None:
    clock = TestClock()
    attempts = Attempts(clock)
    wrong(attempts, "a@x", "1.1.1.1", 20)
    clock.forward(60)

    with pytest.raises(SignInLocked) as locked, attempts.attempt("a@x", "1.1.1.1"):
        pass

    assert locked.value.after_ms == (WINDOW_S - 60) * 1000
    clock.forward(WINDOW_S)
    assert wrong(attempts, "a@x", "1.1.1.1") == 1


def test_an_attempt_that_ends_in_an_error_counts() -> None:
    attempts = Attempts(TestClock())

    for _ in range(PER_PAIR):
        with pytest.raises(RuntimeError), attempts.attempt("a@x", "1.1.1.1"):
            raise RuntimeError

    assert wrong(attempts, "a@x", "1.1.1.1") == 0


def test_who_was_right_gets_the_place_back() -> None:
    attempts = Attempts(TestClock())

    for _ in range(PER_PAIR * 3):
        with attempts.attempt("a@x", "1.1.1.1") as verdict:
            verdict.right()

    assert wrong(attempts, "a@x", "1.1.1.1", 50) == PER_PAIR
