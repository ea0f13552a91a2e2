"""Telling a device that has to be called what its gate said.

The decision is durable before the device hears of it, so a verdict that does not arrive leaves a token used and nobody
let in. Where it surely did not arrive, the admission is taken back here. Where that is not known it stands, since the
door may have opened: whoever stands before a shut one needs the desk.
"""

import structlog

from app.core.ids import show
from app.effects.devices import Delivery, Message
from app.storage.failures import Unavailable

from .connected import Connection
from .context import Context
from .mistakes import Mistake
from .undo import undo_verification

_log = structlog.get_logger()


async def deliver(
    app: Context, connection: Connection, message: Message, until: float, admission: bytes | None
) -> Delivery:
    """Give the device its verdict before the loop's time `until`.

    `admission` is the verification by which the verdict lets somebody in, None where it lets nobody in. Nobody else may
    be telling the device of the same one.
    """
    delivery = await app.devices.put(message, until)
    app.metrics.delivery(connection.kind, delivery)
    if delivery is Delivery.DELIVERED:
        return delivery
    about = {"kind": connection.kind, "connection": show("conn", connection.id)}
    _log.warning("verdict_" + delivery, **about)
    if delivery is Delivery.NOT_DELIVERED and admission is not None:
        try:
            await undo_verification(app, connection.caller, admission)
        except (Mistake, Unavailable) as fault:
            _log.warning("admission_not_taken_back", **about, fault=type(fault).__name__)
    return delivery
