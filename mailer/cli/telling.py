"""What came of a send: the sums, the sentences, the exit code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from mailer.cli.output import emit, note, say
from mailer.cli.preparing import Send
from mailer.database import reading, writing
from mailer.delivery import dispatch, forecast, mailing
from mailer.delivery.dispatch import Prospect
from mailer.delivery.engine import End
from mailer.delivery.sending import Result
from mailer.delivery.states import DeliveryState, MailingState
from mailer.errors import Problem, TryLater

if TYPE_CHECKING:
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.model import Counts

LEFT: Final = 4  # done as far as it goes
INTERRUPTED: Final = 130


def summary(found: Mailing, sums: Counts) -> dict[str, Any]:
    """Give what send and audit print of a mailing as JSON."""
    issue = found.number if found.number is not None else found.slug
    return {"mailing": found.name, "issue": issue, "state": found.state.value, **sums.to_json()}


def tell(this: Send, found: Mailing, result: Result) -> int:
    """Tell how it ended, and give the exit code."""
    if result.sums is None:
        raise TryLater(Problem(f"{result.problem}; the journal has kept what was sent", key="database"))
    with reading(this.ground.database) as connection:
        found = mailing.get(connection, found.id)
    for recovered in result.recovered:
        note(forecast.recovered(recovered))
    seconds = round(time.monotonic() - this.began, 3)
    emit({**summary(found, result.sums), "seconds": seconds})
    say(f"{found.name}: {forecast.balance(result.sums)}, in {seconds:,.1f} s")
    code = _told(this, found, result, result.sums)
    if result.end is End.NO_RELAY:
        note(f"No relay takes mail: {result.problem}. The same command goes on.", style="error")
        return TryLater.exit_code
    return code


def _told(this: Send, found: Mailing, result: Result, sums: Counts) -> int:
    zone = this.named.list.time_zone
    if sums[DeliveryState.UNCERTAIN]:
        note(forecast.uncertain(found, sums), style="warning")
    if result.end is End.STOPPED:
        note("Stopped: what was on its way is recorded; the same command goes on.")
        return INTERRUPTED
    # A mailing that another send has finished meanwhile does not run any more either, and all is well.
    if result.end is End.NOT_RUNNING and found.state is not MailingState.FINISHED:
        note(
            f"{found.name} is {found.state}: {found.reason}. `mailer resume {found.name}` lets it go on.",
            style="error",
        )
        return LEFT
    if sums[DeliveryState.DEFERRED] or sums.waiting:
        note(forecast.deferred(found, sums, zone, alive=result.daemon), style="warning")
    return LEFT if sums.unsettled or sums[DeliveryState.UNCERTAIN] else 0


def tell_nothing(this: Send, prospect: Prospect) -> int:
    """Say that everybody has it."""
    if prospect.mailing is None or prospect.sums is None:
        raise AssertionError("nothing to send of what was never opened")
    with writing(this.ground.database) as connection:
        dispatch.finish(connection, prospect.mailing.id, this.ground.clock())
        found = mailing.get(connection, prospect.mailing.id)
    emit({**summary(found, prospect.sums), "seconds": 0.0})
    say(forecast.went_out(found, prospect.sums, prospect.joined_since, this.named.list.time_zone))
    if prospect.sums[DeliveryState.UNCERTAIN]:
        note(forecast.uncertain(found, prospect.sums), style="warning")
        return LEFT
    return 0
