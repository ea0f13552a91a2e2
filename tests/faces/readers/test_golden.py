"""The golden exchanges are what the service answers."""

import pytest

from tests.faces.readers.golden import Exchange, exchanges, replay
from tests.service import Service


@pytest.mark.parametrize("exchange", exchanges(), ids=lambda exchange: f"{exchange.kind}: {exchange.name}")
async def test_a_golden_exchange_is_answered_byte_for_byte(golden_service: Service, exchange: Exchange) -> None:
    await replay(await golden_service.another_tenant(), exchange)
