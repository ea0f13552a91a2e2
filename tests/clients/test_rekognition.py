"""The clients of Rekognition, set up by environment variables alone, each through a whole life."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.client import Client, ClientError, awscli, boto3, client_rekognition
from tests.clients.served_site import Connected, Site
from tests.line import line_to

ClientAt = Callable[..., Client]


def client_of(client_at: ClientAt, connection: Connected, url: str | None = None) -> Client:
    given = connection.credentials
    return client_at(url or connection.url, given["access_key_id"], given["secret_access_key"], given["region"])


def matched(answer: dict[str, Any]) -> list[str]:
    return [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]


@pytest.mark.parametrize("client_at", [boto3, awscli, client_rekognition])
def test_a_client_goes_through_a_whole_life(client_at: ClientAt, site: Site) -> None:
    with client_of(client_at, site.at_a_door("rekognition")) as client:

        def search(picture: Path, collection: str = "staff") -> list[str]:
            return matched(client.call("SearchFacesByImage", CollectionId=collection, Image={"Bytes": picture}))

        assert client.call("CreateCollection", CollectionId="staff")["StatusCode"] == 200
        enrolled = client.call(
            "IndexFaces", CollectionId="staff", Image={"Bytes": site.a_face()}, ExternalImageId="emp-1042", MaxFaces=1
        )
        face = enrolled["FaceRecords"][0]["Face"]
        assert client.call("ListFaces", CollectionId="staff")["Faces"] == [face]

        live = site.code_of("emp-1042")
        assert search(live) == ["emp-1042"]
        assert search(live) == []
        site.visitor("visitor-7", gates=["other-door"])
        assert search(site.code_of("visitor-7")) == []
        assert site.verifications() == [
            ("admit", "ok", "emp-1042"),
            ("deny", "already_used", "emp-1042"),
            ("deny", "wrong_gate", "visitor-7"),
        ]
        with pytest.raises(ClientError, match="no faces in the image") as nobody:
            search(site.a_face())
        assert nobody.value.code == "InvalidParameterException"

        gone = client.call("DeleteFaces", CollectionId="staff", FaceIds=[face["FaceId"]])
        assert gone["DeletedFaces"] == [face["FaceId"]]
        assert not site.has_pass("emp-1042")
        client.call("DeleteCollection", CollectionId="staff")
        with pytest.raises(ClientError) as missing:
            client.call("DescribeCollection", CollectionId="staff")
        assert missing.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize("client_at", [boto3, client_rekognition])
def test_a_client_keeps_users_compares_and_detects(client_at: ClientAt, site: Site) -> None:
    at, connection = {"CollectionId": "gatepass"}, site.at_a_door("rekognition")
    with client_of(client_at, connection, connection.url + "/rekognition") as client:
        photo = client.call("IndexFaces", **at, Image={"Bytes": site.a_face()})["FaceRecords"][0]["Face"]["FaceId"]
        client.call("CreateUser", **at, UserId="emp-1042")
        done = client.call("AssociateFaces", **at, UserId="emp-1042", FaceIds=[photo])
        assert (done["AssociatedFaces"], done["UserStatus"]) == ([{"FaceId": photo}], "ACTIVE")
        assert client.call("ListUsers", **at)["Users"] == [{"UserId": "emp-1042", "UserStatus": "ACTIVE"}]
        found = client.call("SearchUsersByImage", **at, Image={"Bytes": site.code_of("emp-1042")})
        assert [match["User"]["UserId"] for match in found["UserMatches"]] == ["emp-1042"]

        badge, live = site.code_of("emp-1042", reusable=True), site.code_of("emp-1042")
        assert len(client.call("DetectFaces", Image={"Bytes": live})["FaceDetails"]) == 1
        pictures = {"SourceImage": {"Bytes": badge}, "TargetImage": {"Bytes": live}}
        assert [match["Similarity"] for match in client.call("CompareFaces", **pictures)["FaceMatches"]] == [100]
        assert len(client.call("CompareFaces", **pictures)["UnmatchedFaces"]) == 1

        said = client.call("DescribeCollection", **at)
        assert (said["FaceCount"], said["UserCount"]) == (1, 1)
        client.call("DeleteUser", **at, UserId="emp-1042")
        assert not site.has_pass("emp-1042")


@pytest.mark.parametrize("client_at", [boto3, client_rekognition])
def test_a_client_that_lost_the_first_answer_gets_it_when_it_calls_again(client_at: ClientAt, site: Site) -> None:
    site.gate("main-door")
    connection = site.connect("rekognition", "main-door")
    site.visitor("visitor-7")
    with line_to(connection.url) as line, client_of(client_at, connection, line.url) as client, line.losing_answers(1):
        image = {"Bytes": site.code_of("visitor-7")}
        found = client.call("SearchFacesByImage", CollectionId="gatepass", Image=image)
        assert line.lost[0].startswith(b"HTTP/1.1 200 ")
        assert matched(found) == ["visitor-7"]
    assert site.verifications() == [("admit", "ok", "visitor-7")]
