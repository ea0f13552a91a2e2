"""tencentcloud-sdk-python-iai, set up by endpoint and keys alone, through a whole life.

Its own models read every answer: a member that they do not know is an error, one that they miss is null.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.client import Client, ClientError, tencent_iai
from tests.clients.served_site import Site

MAY_BE_NULL = {
    "Results.Candidates.PersonName",
    "Results.Candidates.Gender",
    "Results.Candidates.PersonGroupInfos",
    "FaceInfos.FaceQualityInfo",
    "FaceInfos.FaceAttributesInfo",  # of no meaning unless it was asked for
}
"""By the descriptions of the models."""


def nulls(answer: Any, path: str = "") -> Iterator[str]:
    """The members of an answer that are null."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield from nulls(value, f"{path}.{name}".strip("."))
    elif isinstance(answer, list):
        for value in answer:
            yield from nulls(value, path)
    elif answer is None:
        yield path


class Caller:
    """The client, whose every answer has all that its models know."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, action: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.call(action, **arguments)
        assert set(nulls(answer)) <= MAY_BE_NULL
        assert answer.pop("RequestId").startswith("req_")
        return answer

    def refusal(self, action: str, **arguments: Any) -> Any:
        """The code of the error."""
        with pytest.raises(ClientError) as refused:
            self._client.call(action, **arguments)
        return refused.value.code


def test_the_sdk_goes_through_a_whole_life(site: Site) -> None:
    connection = site.at_a_door("tencent")
    with tencent_iai(
        connection.url, connection.credentials["secret_id"], connection.credentials["secret_key"]
    ) as client:
        call = Caller(client)

        def search(picture: Path, *groups: str) -> list[str]:
            (result,) = call("SearchFaces", GroupIds=list(groups or ["staff"]), Image=picture)["Results"]
            return [each["PersonId"] for each in result["Candidates"] if each["Score"] > 80]

        assert call("CreateGroup", GroupId="staff", GroupName="Staff") == {"FaceModelVersion": "3.0"}
        groups = call("GetGroupList")
        assert ([each["GroupId"] for each in groups["GroupInfos"]], groups["GroupNum"]) == (["gatepass", "staff"], 2)
        assert call("GetGroupInfo", GroupId="staff")["GroupId"] == "staff"
        call("ModifyGroup", GroupId="staff", Tag="all of them")
        person = {"PersonId": "emp-1042", "PersonName": "Alice"}
        first = call("CreatePerson", GroupId="staff", Image=site.a_face(), **person)["FaceId"]
        assert call.refusal("CreatePerson", GroupId="staff", Image=site.a_face(), **person).endswith("AlreadyExist")
        (second,) = call("CreateFace", PersonId="emp-1042", Images=[site.a_face()])["SucFaceIds"]
        assert call("CopyPerson", PersonId="emp-1042", GroupIds=["staff", "gatepass"])["SucGroupIds"] == ["gatepass"]
        call("ModifyPersonBaseInfo", PersonId="emp-1042", PersonName="Alice B")
        known = call("GetPersonBaseInfo", PersonId="emp-1042")
        assert known == {"PersonName": "Alice B", "Gender": 0, "FaceIds": [first, second]}
        there = call("GetPersonGroupInfo", PersonId="emp-1042")
        assert [each["GroupId"] for each in there["PersonGroupInfos"]] == ["gatepass", "staff"]
        (listed,) = call("GetPersonList", GroupId="staff")["PersonInfos"]
        assert (listed["PersonId"], listed["FaceIds"]) == ("emp-1042", [first, second])
        assert call("GetPersonListNum", GroupId="staff") == {"PersonNum": 1, "FaceNum": 2}
        assert call("DeleteFace", PersonId="emp-1042", FaceIds=[second])["SucFaceIds"] == [second]

        live = site.code_of("emp-1042")
        (seen,) = call("DetectFace", Image=live)["FaceInfos"]
        assert seen["Width"] >= 120
        assert search(live) == ["emp-1042"]
        assert search(live) == []
        site.visitor("visitor-7", gates=["other-door"])
        assert search(site.code_of("visitor-7")) == []
        assert call.refusal("SearchFaces", GroupIds=["staff"], Image=site.a_face()) == (
            "InvalidParameterValue.NoFaceInPhoto"
        )
        badge = site.code_of("emp-1042")
        assert call("CompareFace", ImageA=badge, ImageB=badge)["Score"] == 100.0
        assert call("VerifyFace", PersonId="emp-1042", Image=site.code_of("emp-1042"))["IsMatch"]
        told = call("SearchPersonsReturnsByGroup", GroupIds=["staff"], Image=site.code_of("emp-1042"), NeedPersonInfo=1)
        (group,) = told["ResultsReturnsByGroup"][0]["GroupCandidates"]
        assert (group["GroupId"], group["Candidates"][0]["PersonName"]) == ("staff", "Alice B")
        assert [each[:2] for each in site.verifications()] == [
            ("admit", "ok"),
            ("deny", "already_used"),
            ("deny", "wrong_gate"),
            *[("admit", "ok")] * 3,
        ]
        assert call.refusal("AnalyzeFace", Image=live) == "UnsupportedOperation.UnknowMethod"

        call("DeletePersonFromGroup", PersonId="emp-1042", GroupId="staff")
        assert search(site.code_of("emp-1042")) == []
        assert search(site.code_of("emp-1042"), "gatepass") == ["emp-1042"]
        call("DeletePerson", PersonId="emp-1042")
        assert not site.has_pass("emp-1042")
        call("DeleteGroup", GroupId="staff")
        assert call.refusal("GetGroupInfo", GroupId="staff") == "InvalidParameterValue.GroupIdNotExist"
        site.disconnect(connection)
        assert call.refusal("GetGroupList") == "AuthFailure.SecretIdNotFound"
