"""One look at all that is due: doses are settled first, then what follows from them, up to the same moment."""

from dataclasses import dataclass

from services.medication.day_close import DayClose
from services.medication.ledger import DoseLedger
from services.medication.notices import NoticeBoard
from services.medication.supplies import Supplies


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Each part has a transaction of its own, and finds after a crash what it had not done.

    What follows rests on the moment up to which the ledger has settled: what is still open then was not taken before.
    """

    ledger: DoseLedger
    notices: NoticeBoard
    days: DayClose
    supplies: Supplies

    async def settle(self) -> int:
        """Says 0: whatever is left has to wait. Raises LOST_CONNECTION."""
        settled_through = await self.ledger.look()
        if settled_through is not None:
            await self.notices.write(settled_through)
            await self.days.close(settled_through)
            await self.supplies.forecast(settled_through)
        return 0
