"""Time zones, by their names in the IANA database."""

from app.effects.calendar import zone_named

from .mistakes import Invalid


def check_time_zone(name: str) -> str:
    """`name`, if there is such a time zone. Raises `Invalid`."""
    try:
        zone_named(name)
    except (KeyError, ValueError, OSError):
        raise Invalid("time_zone", "There is no such time zone: use a name like Asia/Shanghai.") from None
    return name
