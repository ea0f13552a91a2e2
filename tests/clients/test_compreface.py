"""Clients of CompreFace, as they come from its makers, at the gate of a served Gatepass."""

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.client import Client, ClientError, compreface_js_sdk, compreface_sdk
from tests.clients.served_site import Site


def names(answer: dict[str, Any]) -> list[list[str]]:
    """The subjects of each code that was seen."""
    return [[subject["subject"] for subject in each["subjects"]] for each in answer["result"]]


def refusal(client: Client, name: str, **arguments: Any) -> int:
    """The code of the error that a call gets: an answer to the client for Python, raised by the one for Node."""
    try:
        code: int = client.call(name, **arguments)["code"]
    except ClientError as error:
        code = error.code
    return code


@pytest.mark.parametrize("client_at", [compreface_sdk, compreface_js_sdk])
def test_a_client_enrols_recognises_verifies_and_deletes(site: Site, client_at: Callable[[str, str], Client]) -> None:
    site.gate("main-door", repeat_window_s=2)
    site.gate("side-door")
    desk = site.connect("compreface", "main-door")
    with client_at(desk.url, desk.credentials["api_key"]) as client:
        # Enrolled, with pictures that nobody looks at.
        assert client.call("add_subject", subject="Ada") == {"subject": "Ada"}
        enrolled = [client.call("add_example", image=site.a_face(), subject=subject) for subject in ("Ada", "Bob")]
        assert [each["subject"] for each in enrolled] == ["Ada", "Bob"]
        adas, bobs = (each["image_id"] for each in enrolled)
        assert client.call("list_subjects") == {"subjects": ["Ada", "Bob"]}
        assert client.call("list_examples")["faces"] == enrolled

        # At the gate: nobody, then Ada, whom the camera sees more than once, then somebody of another gate.
        assert refusal(client, "recognize", image=site.a_face()) == 28
        adas_code = site.code_of("Ada")
        options = {"limit": 0, "det_prob_threshold": 0.8, "prediction_count": 1, "status": "true"}
        seen = [client.call("recognize", image=adas_code, **options) for _ in range(3)]
        assert [names(each) for each in seen] == [[["Ada"]]] * 3
        assert seen[0]["result"][0]["subjects"][0]["similarity"] == 1.0
        seen_until = time.monotonic() + 2.1
        site.visitor("Eve", gates=["side-door"])
        assert names(client.call("recognize", image=site.code_of("Eve"))) == [[]]
        assert site.verifications() == [("admit", "ok", "Ada"), ("deny", "wrong_gate", "Eve")]

        # At the desk: is it Bob, and is it the same person?
        bobs_code = site.code_of("Bob")
        assert len(client.call("detect", image=bobs_code)["result"]) == 1
        (result,) = client.call("verify_example", image=bobs_code, image_id=adas)["result"]
        assert (result["subject"], result["similarity"]) == ("Ada", 0.0)
        (result,) = client.call("verify_example", image=bobs_code, image_id=bobs)["result"]
        assert (result["subject"], result["similarity"]) == ("Bob", 1.0)
        for target, similarity in ((site.code_of("Bob"), 1.0), (site.code_of("Ada"), 0.0)):
            (compared,) = client.call("verify", source_image=bobs_code, target_image=target)["result"]
            assert [match["similarity"] for match in compared["face_matches"]] == [similarity]
        assert site.entries("Bob") == 2

        # Ada's code again, when she is long gone.
        time.sleep(max(0.0, seen_until - time.monotonic()))
        assert names(client.call("recognize", image=adas_code)) == [[]]
        assert site.verifications()[-1] == ("deny", "already_used", "Ada")

        # Renamed, and deleted.
        assert client.call("rename_subject", subject="Bob", new_name="Robert") == {"updated": True}
        assert names(client.call("recognize", image=site.code_of("Robert"))) == [["Robert"]]
        assert client.call("delete_example", image_id=bobs) == {"image_id": bobs, "subject": "Robert"}
        last = site.code_of("Robert")
        assert client.call("delete_subject", subject="Robert") == {"subject": "Robert"}
        assert refusal(client, "delete_subject", subject="Robert") == 42
        assert not site.has_pass("Robert")
        assert names(client.call("recognize", image=last)) == [[]]
        assert client.call("delete_all_subjects") == {"deleted": 1}
        assert client.call("list_examples")["total_elements"] == 0

        site.disconnect(desk)
        assert refusal(client, "list_subjects") == 10


def test_the_client_for_node_sends_base64_deletes_by_list_and_joins_a_second_query_to_the_name(site: Site) -> None:
    site.gate()
    desk = site.connect("compreface")
    with compreface_js_sdk(desk.url, desk.credentials["api_key"]) as client:
        ids = [client.call("add_example", image=site.a_face(), subject="Ada")["image_id"] for _ in range(2)]
        text = b64encode(site.code_of("Ada").read_bytes()).decode()
        assert names(client.call("recognize", image=text)) == [["Ada"]]
        assert client.call("delete_many_examples", image_ids=ids[:1]) == [{"image_id": ids[0], "subject": "Ada"}]
        # Its own mistake, which it makes with CompreFace too: `?subject=Bob?det_prob_threshold=0.8`.
        made = client.call("add_example", image=site.a_face(), subject="Bob", det_prob_threshold=0.8)
        assert made["subject"] == "Bob?det_prob_threshold=0.8"
        assert client.call("delete_all_examples") == {"deleted": 2}
