"""The demonstration behind `make demo`: the main job, done over HTTP as a client would do it."""

from app.settings import Settings


def run_demo(settings: Settings, *, host: str, port: int, stay: bool) -> None:
    """Serve, show the job once, and go on serving until Ctrl-C if `stay`."""
