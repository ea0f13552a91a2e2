"""What readers have in common."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from app.faces.readers.reading import request_id_of, words


@settings(deadline=None, derandomize=True)
@given(st.none() | st.text(max_size=80), st.text(min_size=1, max_size=80))
def test_the_record_of_a_device_has_a_request_id_that_the_api_would_take(serial: str | None, record: str) -> None:
    request_id = request_id_of(serial, record)
    assert request_id is not None
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", request_id)
    assert request_id == request_id_of(serial, record) != request_id_of(serial, record + "1")


def test_a_record_without_a_number_has_none() -> None:
    assert request_id_of("FC-1", None) is request_id_of("FC-1", "") is None


def test_where_nothing_could_be_decided_the_screen_says_no_more_than_that() -> None:
    assert words(None) == "Not admitted"
