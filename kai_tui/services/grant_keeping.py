"""The grants of an open account: given, counted, ended. Apart from what they are (`grants`), which the first paint
does not need: there are none then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from kai_tui.services.observers import Observers
from kai_tui.services.wake import SleepWatch

if TYPE_CHECKING:
    from kai_tui.conversation.reviews.review import Presents, Review
    from kai_tui.services.approval_service import Approval, Decision
    from kai_tui.services.grants import Grant, GrantsEnded, GrantTerms


def _no_presents(_: Approval) -> Presents:
    return {}


class Grants:
    """The grants of one open account. They are in memory only: an account that is left has none."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = monotonic,
        sleep_watch: SleepWatch | None = None,
        presents: Callable[[Approval], Presents] = _no_presents,
    ) -> None:
        """`clock` gives monotonic seconds. `sleep_watch` is this object's own. `presents`: the present values
        known of what a call is about; it never raises."""
        self._presents = presents
        self._clock = clock
        self._sleep = sleep_watch or SleepWatch()
        self._grants: dict[int, Grant] = {}
        self._decided: dict[tuple[str, str], int] = {}
        """Which grant decided a call: its call is counted once, and taken back with the grant."""
        self._observers: Observers[GrantsEnded | None] = Observers()
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0

    @property
    def active(self) -> Sequence[Grant]:
        """Those that would decide a call now, the oldest first."""
        now = self._clock()
        return [each for each in self._grants.values() if each.left != 0 and not _over(each, now)]

    def observe(self, callback: Callable[[GrantsEnded | None], None]) -> Callable[[], None]:
        """Hear that grants were given, used (None) or ended."""
        return self._observers.add(callback)

    def give(self, approval: Approval, terms: GrantTerms) -> Grant | None:
        """The user approved this call, and further ones like it. None when that cannot be: nothing is allowed then."""
        self._check_sleep()
        review = self._review(approval)
        if terms.tool != approval.tool_name or terms.chat_id not in (None, approval.chat_id):
            return None
        if (terms.minutes is not None and terms.minutes <= 0) or (
            terms.calls is not None and terms.calls < 1
        ):
            return None
        if why_no_grant(approval, review) is not None or not _about(terms, review):
            return None
        self._number += 1
        grant = replace(self.draft(approval, terms), number=self._number)
        self._grants[grant.number] = grant
        self._set_timer()
        self._observers.tell(None)
        return grant

    def draft(self, approval: Approval, terms: GrantTerms) -> Grant:
        """The grant as it would be given now; it allows nothing."""
        from kai_tui.services.grants import Grant

        return Grant(
            0,
            terms,
            chat_title=approval.chat_title,
            account_id=approval.account_id,
            branch=approval.branch,
            host=approval.host,
            cautions=frozenset(self._review(approval).cautions),
            until=None if terms.minutes is None else self._clock() + terms.minutes * 60,
        )

    def covers(self, grant: Grant, approval: Approval) -> bool:
        """Whether a question is one the grant is for."""
        terms = grant.terms
        if terms.tool != approval.tool_name or terms.chat_id not in (None, approval.chat_id):
            return False
        place = (approval.account_id, approval.branch, approval.host)
        if (grant.account_id, grant.branch, grant.host) != place:
            return False
        review = self._review(approval)
        seen = grant.cautions.issuperset(review.cautions)
        return seen and _about(terms, review) and why_no_grant(approval, review) is None

    def decide(self, approval: Approval) -> Decision | None:
        """A yes where a grant covers this call; it is counted at once, and only once. None: the user decides."""
        from kai_tui.services.approval_service import Decision
        from kai_tui.services.call_rules import GRANTED
        from kai_tui.services.grants import GrantsEnded

        self._check_sleep()
        self.look()
        known = self._grants.get(self._decided.get(approval.key, 0))
        grant = known or self._covering(approval)
        if grant is None:
            return None
        if known is None:
            grant = self._grants[grant.number] = replace(grant, used=grant.used + 1)
            self._decided[approval.key] = grant.number
            ended = GrantsEnded((grant,), "its calls are used up", used_up=True) if grant.left == 0 else None
            self._observers.tell(ended)
        calls = grant.terms.calls
        count = f": call {grant.used} of {calls}" if calls is not None else f": call {grant.used}"
        return Decision(approved=True, by="grant", rule=f"{GRANTED}{grant.words}{count}.")

    def holds(self, approval: Approval) -> bool:
        """Whether the grant that decided this call holds still: looked at before the answer goes out."""
        self._check_sleep()
        self.look()
        return self._decided.get(approval.key, 0) in self._grants

    def revoke(self, number: int) -> None:
        """The user takes one back."""
        if number in self._grants:
            self._end([number], "you took it back", by_user=True)

    def revoke_all(self) -> int:
        """The user takes all back; how many there were."""
        return self._end(list(self._grants), "you took it back", by_user=True)

    def end(self, why: str) -> None:
        """None holds any longer. `why` is half a sentence: "the connection was made anew"."""
        self._end(list(self._grants), why)

    def look(self) -> None:
        """End those whose time is over."""
        now = self._clock()
        self._end([each.number for each in self._grants.values() if _over(each, now)], "its time is over")

    # The work

    def _covering(self, approval: Approval) -> Grant | None:
        return next((each for each in self.active if self.covers(each, approval)), None)

    def _review(self, approval: Approval) -> Review:
        """With the present values that are known: some dangers show only against them."""
        from kai_tui.conversation.reviews.reviewing import review

        return review(
            approval.tool_name,
            approval.input,
            read_only=approval.read_only,
            title_given=approval.title,
            presents=self._presents(approval),
        )

    def _check_sleep(self) -> None:
        if self._sleep.beat():
            self.end("the computer slept")

    def _end(self, numbers: Sequence[int], why: str, *, by_user: bool = False) -> int:
        gone = [self._grants.pop(number) for number in numbers]
        if not gone:
            return 0
        from kai_tui.services.grants import GrantsEnded

        self._set_timer()
        ended = GrantsEnded(gone, why, by_user)
        self._observers.tell(ended)
        return len(ended.told)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ends = [each.until for each in self._grants.values() if each.until is not None]
        if ends:
            wait = max(0.05, min(ends) - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait, self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        self._check_sleep()
        self.look()
        if self._timer is None:
            self._set_timer()


def why_no_grant(approval: Approval, review: Review) -> str | None:
    """Why this question cannot be answered by a grant, now or ever: one sentence; None when it can."""
    from kai_tui.conversation.granting import why_never

    if approval.wants != "yes-no":
        return "It wants a value from you, so it is asked every time."
    return why_never(approval.tool_name, approval.input, approval.has_input, review)


def _about(terms: GrantTerms, review: Review) -> bool:
    from kai_tui.conversation.granting import covers_all

    return terms.of is None or covers_all(terms.of, review)


def _over(grant: Grant, now: float) -> bool:
    return grant.until is not None and now >= grant.until
