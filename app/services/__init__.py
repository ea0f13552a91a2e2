"""Floor 2: what Gatepass does, one verb or noun a file. No HTTP and no SQL."""
