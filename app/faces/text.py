"""What no text may have in it, however it comes."""


def is_clean(text: str) -> bool:
    """Whether there is neither NUL nor half of a surrogate pair in it: what neither database would store."""
    if "\0" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
