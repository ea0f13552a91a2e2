"""python-facepp, set up by its address and keys alone, through a whole life."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients.client import ClientError, python_facepp
from tests.clients.served_site import Site


def test_python_facepp_goes_through_a_whole_life(site: Site) -> None:
    connection = site.at_a_door("facepp")
    with python_facepp(
        connection.url, connection.credentials["api_key"], connection.credentials["api_secret"]
    ) as client:

        def search(picture: Path) -> list[str]:
            """Who is named, and by a confidence that means it."""
            found: dict[str, Any] = client.call("search", image=picture, outer_id="staff")
            return [
                each["user_id"] for each in found.get("results", []) if each["confidence"] > found["thresholds"]["1e-5"]
            ]

        faceset = client.call("create_faceset", outer_id="staff")
        assert [each["outer_id"] for each in client.call("list_facesets")] == ["gatepass", "staff"]
        (enrolled,) = client.call("enrol", image=site.a_face(), outer_id="staff", user_id="emp-1042")
        token = enrolled["face_token"]
        face = client.call("get_face", face_token=token)
        assert face["user_id"] == "emp-1042"
        assert face["facesets"] == [{"faceset_token": faceset["faceset_token"], "outer_id": "staff"}]
        kept = client.call("get_faceset", faceset_token=faceset["faceset_token"])
        assert (kept["outer_id"], kept["face_tokens"], kept["face_count"]) == ("staff", [token], 1)

        live = site.code_of("emp-1042")
        assert [each["face_token"] for each in client.call("detect", image=live)["faces"]] != [token]
        assert search(live) == ["emp-1042"]
        assert search(live) == []
        site.visitor("visitor-7", gates=["other-door"])
        assert search(site.code_of("visitor-7")) == []
        assert client.call("search", image=site.a_face(), outer_id="staff")["faces"] == []
        badge = site.code_of("emp-1042")
        assert client.call("compare", image1=badge, image2=badge)["confidence"] == 100.0
        assert site.verifications() == [
            ("admit", "ok", "emp-1042"),
            ("deny", "already_used", "emp-1042"),
            ("deny", "wrong_gate", "visitor-7"),
            ("admit", "ok", "emp-1042"),
        ]
        with pytest.raises(ClientError) as refused:
            client.call("enrol", image=site.code_of("emp-1042"), outer_id="staff", user_id="somebody")
        assert refused.value.kind == "InvalidFaceToken"

        client.call("update_faceset", outer_id="staff", display_name="Staff")
        client.call("remove", face_token=token)
        assert client.call("get_faceset", outer_id="staff")["face_tokens"] == []
        assert not site.has_pass("emp-1042")
        client.call("delete_faceset", outer_id="staff")
        with pytest.raises(ClientError) as missing:
            search(site.a_face())
        assert missing.value.kind == "InvalidOuterId"
        site.disconnect(connection)
        with pytest.raises(ClientError) as nobody:
            client.call("detect", image=site.a_face())
        assert nobody.value.kind == "AuthenticationError"
