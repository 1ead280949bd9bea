"""What users of other desks complain about, and the test that shows that we do not have it.

The numbers are those of the rows of section 1 of the screens' design; those of the widget are
elsewhere. A test is named as ``file::name``; one in TypeScript by a part of its sentence.
"""

from __future__ import annotations

_INBOX = "tests/e2e/test_inbox.py"

ROWS: dict[int, tuple[str, ...]] = {
    # Drafts that get lost.
    1: ("tests/e2e/test_drafts.py::test_a_draft_survives",),
    # Opening marks as read, and unread hides who waits.
    2: (f"{_INBOX}::test_opening_leaves_unread_to_reading_and_waiting_to_answering",),
    # Messages that nobody notices, or that every tab rings for.
    3: (f"{_INBOX}::test_three_tabs_of_a_new_colleague_make_one_sound",),
    # Nothing new after sleep; a socket that says it is open and is not.
    4: (
        "tests/e2e/test_costs.py::test_after_a_minute_without_a_line_all_is_shown",
        "web/kernel/tests/transport.test.ts::waking up dials anew although the socket says",
        "web/kernel/tests/transport.test.ts::40 s of silence mean a dead line",
    ),
    # Long conversations and long lists that freeze the page.
    5: (
        "tests/e2e/test_many.py::test_a_very_long_conversation_opens_and_is_read_upwards",
        "tests/e2e/test_many.py::test_keys_are_painted_at_once_while_fifty_events_a_second_come_in",
    ),
    # Lists that jump under the hand.
    6: (f"{_INBOX}::test_a_row_under_the_pointer_stays_while_fifty_messages_come",),
    # Shortcuts that are the browser's.
    7: (
        f"{_INBOX}::test_every_shortcut_is_in_the_sheet_and_none_is_the_browsers",
        "web/console/tests/keys.test.ts::no shortcut is one of a browser's",
    ),
    # Half a Chinese word that is sent by Enter.
    8: ("tests/e2e/test_composer.py::test_enter_of_an_input_method_sends_nothing",),
    # A menu that opens inside of a Chinese sentence.
    9: ("web/console/tests/canned.test.ts::the saved replies",),
    # Saved replies that cannot be found.
    10: (
        "web/console/tests/canned.test.ts::pinyin initials, whole syllables and mixtures",
        "web/console/tests/canned.test.ts::a variable takes its value, else its fallback",
    ),
    # Two agents who answer at once.
    11: (
        "tests/e2e/test_composer.py::test_a_colleague_who_answered_first_is_seen_before_sending",
    ),
}
