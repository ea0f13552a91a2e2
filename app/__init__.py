"""Gatepass: signed, short-lived QR codes and one-time codes at the door, in place of face scanning."""
