"""deepstack-python at the gate, with its host, port and key changed and nothing else."""

import time

import httpx
import pytest

from tests.clients.client import ClientError, deepstack_python
from tests.clients.served_site import Connected, Site


def delete(at: Connected, userid: str) -> None:
    """What deepstack-python has no call for."""
    answer = httpx.post(
        f"{at.url}/v1/vision/face/delete", data={"api_key": at.credentials["api_key"], "userid": userid}
    )
    assert answer.json()["success"] is True


def test_a_person_comes_enters_once_and_goes(site: Site) -> None:
    site.gate("main-door", repeat_window_s=1)
    site.gate("side-door")
    main, side = site.connect("deepstack", "main-door"), site.connect("deepstack", "side-door")
    with (
        deepstack_python(main.url, main.credentials["api_key"]) as client,
        deepstack_python(side.url, side.credentials["api_key"]) as elsewhere,
    ):
        assert client.call("register", name="emp-1042", image=site.a_face()) == "face added"
        assert client.call("register", name="emp-1042", image=site.a_face()) == "face updated"
        assert client.call("get_registered_faces") == ["emp-1042"]
        assert client.call("recognize", image=site.a_face()) == []
        picture = site.code_of("emp-1042")
        (located,) = client.call("detect", image=picture)
        assert located["x_max"] - located["x_min"] >= 120
        (refused,) = elsewhere.call("recognize", image=picture)
        assert (refused["userid"], refused["confidence"]) == ("unknown", 0)
        for _ in range(2):  # it polls
            (seen,) = client.call("recognize", image=picture)
            assert (seen["userid"], seen["confidence"]) == ("emp-1042", 1.0)
        time.sleep(1.1)
        (replayed,) = client.call("recognize", image=picture)
        assert (replayed["userid"], replayed["confidence"]) == ("unknown", 0)
        assert site.entries("emp-1042") == 1
        unused = site.code_of("emp-1042")
        delete(main, "emp-1042")
        assert client.call("get_registered_faces") == []
        (gone,) = client.call("recognize", image=unused)
        assert gone["userid"] == "unknown"
        site.visitor("visitor-7")
        (visitor,) = client.call("recognize", image=site.code_of("visitor-7"))
        assert visitor["userid"] == "visitor-7"
        site.disconnect(main)
        with pytest.raises(ClientError, match="401"):
            client.call("recognize", image=picture)
    reasons = [reason for _, reason, _ in site.verifications()]
    assert reasons == ["wrong_gate", "ok", "already_used", "pass_revoked", "ok"]
