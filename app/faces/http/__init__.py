"""The core API: JSON over HTTP, as `openapi.yaml` describes it."""
