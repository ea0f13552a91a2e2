"""`gatepass-kiosk`: a small computer at a gate, with a scanner and a relay."""
