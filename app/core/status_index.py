"""Places in the status list: where a pass's bit stands (Token Status List, draft-ietf-oauth-status-list-20).

A place is never given twice in a tenant, and is drawn at random inside a block of 4,096, so that it tells nothing of
who came when, while the list still grows by whole blocks.
"""

BLOCK = 4096
EMPTY = bytes(BLOCK // 8)
"""The places drawn in a block that nothing was drawn from."""


def draw(block: int, drawn: bytes, random: int) -> tuple[int, int, bytes]:
    """One place more: `(idx, block, drawn)`, the last two to be kept for the next draw.

    `drawn` has a bit for each place of the current block; `random` is any large random number.
    """
    bits = int.from_bytes(drawn, "big")
    free = BLOCK - bits.bit_count()
    if free == 0:
        block, bits, free = block + 1, 0, BLOCK
    wanted = random % free
    for place in range(BLOCK):
        if not bits >> place & 1:
            if wanted == 0:
                break
            wanted -= 1
    return block * BLOCK + place, block, (bits | 1 << place).to_bytes(len(EMPTY), "big")
