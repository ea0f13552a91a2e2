"""Which version this is."""

VERSION = "0.1.0"
SOFTWARE = f"gatepass-kit {VERSION}"
"""What the service is told."""
