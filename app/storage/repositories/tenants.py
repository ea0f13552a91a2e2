"""Tenants, and what is counted out within each."""

from sqlalchemy import select, update

from app.core.status_index import EMPTY, draw
from app.storage.records import TenantRecord
from app.storage.tables import tenants

from .repository import Repository

FIRST_NUMBER = 1000
"""Holder numbers start here, so that no code begins with 0: readers drop leading zeros."""


class Tenants(Repository):
    """The organisations whose data is kept apart."""

    def insert(self, tenant: TenantRecord) -> bool:
        """Whether the id was free."""
        values = tenant._asdict() | {"next_number": FIRST_NUMBER, "idx_block": 0, "idx_drawn": EMPTY}
        return self._insert(tenants, values)

    def get(self, id_: str) -> TenantRecord | None:
        return self._one(
            select(tenants.c.id, tenants.c.time_zone, tenants.c.epoch, tenants.c.created_at).where(tenants.c.id == id_),
            TenantRecord,
        )

    def hold(self, id_: str) -> None:
        """Keep others from counting out numbers and places in the tenant until the transaction ends."""
        self._connection.execute(select(tenants.c.id).where(tenants.c.id == id_).with_for_update(key_share=True)).all()

    def raise_epoch(self, id_: str) -> int | None:
        """The new epoch: every token issued before is refused."""
        epoch: int | None = self._connection.scalar(
            update(tenants).where(tenants.c.id == id_).values(epoch=tenants.c.epoch + 1).returning(tenants.c.epoch)
        )
        return epoch

    def next_number(self, id_: str) -> int:
        """A holder number that nobody in the tenant had."""
        number: int = self._connection.execute(
            update(tenants)
            .where(tenants.c.id == id_)
            .values(next_number=tenants.c.next_number + 1)
            .returning(tenants.c.next_number)
        ).scalar_one()
        return number - 1

    def draw_idx(self, id_: str, random: int) -> int:
        """A place in the tenant's status list that no pass had."""
        block, drawn = self._connection.execute(
            select(tenants.c.idx_block, tenants.c.idx_drawn).where(tenants.c.id == id_).with_for_update()
        ).one()
        idx, block, drawn = draw(block, drawn, random)
        self._update(tenants, tenants.c.id == id_, {"idx_block": block, "idx_drawn": drawn})
        return idx
