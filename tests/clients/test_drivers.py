"""Every driver sends what its client sends: the requests that Gatepass has to answer, as they come."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.canned import Answer, Asked, Canned, canned
from tests.clients.client import (
    Client,
    ClientError,
    awscli,
    baidu_aip,
    baidu_aip_sdk,
    boto3,
    client_rekognition,
    compreface_js_sdk,
    compreface_sdk,
    deepstack_python,
    python_facepp,
    tencent_iai,
)
from tests.clients.connect_proxy import connect_proxy

KEY = "00000000-0000-4000-8000-000000000001"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1200  # more than a proxy or a pipe takes at once
TEXT_OF_PICTURE = base64.b64encode(PICTURE).decode()
ID = "00000000-0000-4000-8000-00000000000a"

FACES = "/api/v1/recognition/faces"
SUBJECTS = "/api/v1/recognition/subjects"
COMPREFACE_CALLS = [
    ("add_subject", {"subject": "S"}, f"POST {SUBJECTS}"),
    ("list_subjects", {}, f"GET {SUBJECTS}"),
    ("rename_subject", {"subject": "S", "new_name": "T"}, f"PUT {SUBJECTS}/S"),
    ("delete_subject", {"subject": "S"}, f"DELETE {SUBJECTS}/S"),
    ("delete_all_subjects", {}, f"DELETE {SUBJECTS}"),
    ("list_examples", {}, f"GET {FACES}"),
    ("delete_example", {"image_id": ID}, f"DELETE {FACES}/{ID}"),
    ("delete_examples", {"subject": "S"}, f"DELETE {FACES}?subject=S"),
]
AWS_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("CreateCollection", {"CollectionId": "staff"}),
    ("ListCollections", {"MaxResults": 10}),
    ("DescribeCollection", {"CollectionId": "staff"}),
    ("ListFaces", {"CollectionId": "staff", "MaxResults": 10}),
    ("DeleteFaces", {"CollectionId": "staff", "FaceIds": [ID]}),
    ("CreateUser", {"CollectionId": "staff", "UserId": "S", "ClientRequestToken": ID}),
    ("DeleteCollection", {"CollectionId": "staff"}),
]
FACESET = "/rest/2.0/face/v3/faceset"
BAIDU_CALLS = [
    ("groupAdd", {"group_id": "g"}, f"{FACESET}/group/add"),
    ("getGroupList", {"start": 0, "length": 10}, f"{FACESET}/group/getlist"),
    ("getGroupUsers", {"group_id": "g"}, f"{FACESET}/group/getusers"),
    ("getUser", {"group_id": "g", "user_id": "S"}, f"{FACESET}/user/get"),
    ("userCopy", {"user_id": "S", "src_group_id": "g", "dst_group_id": "h"}, f"{FACESET}/user/copy"),
    ("faceGetlist", {"group_id": "g", "user_id": "S"}, f"{FACESET}/face/getlist"),
    ("faceDelete", {"group_id": "g", "user_id": "S", "face_token": "t"}, f"{FACESET}/face/delete"),
    ("deleteUser", {"group_id": "g", "user_id": "S"}, f"{FACESET}/user/delete"),
    ("groupDelete", {"group_id": "g"}, f"{FACESET}/group/delete"),
]
BAIDU_PICTURE_CALLS = [
    ("search", {"group_id_list": "g,h", "max_user_num": 1}, "/rest/2.0/face/v3/search"),
    ("detect", {"max_face_num": 1}, "/rest/2.0/face/v3/detect"),
    ("addUser", {"group_id": "g", "user_id": "S", "user_info": "x"}, f"{FACESET}/user/add"),
    ("updateUser", {"group_id": "g", "user_id": "S"}, f"{FACESET}/user/update"),
]
FACEPP_CALLS = [
    ("create_faceset", {"outer_id": "staff"}, "create"),
    ("get_faceset", {"outer_id": "staff"}, "getdetail"),
    ("update_faceset", {"outer_id": "staff", "display_name": "Staff"}, "update"),
    ("delete_faceset", {"outer_id": "staff", "check_empty": 0}, "delete"),
]

compreface = pytest.mark.parametrize("client_at", [compreface_sdk, compreface_js_sdk])
rekognition = pytest.mark.parametrize("client_at", [boto3, awscli, client_rekognition])
baidu = pytest.mark.parametrize("client_at", [baidu_aip, baidu_aip_sdk])


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "code.png"
    path.write_bytes(PICTURE)
    return path


def asked_by(server: Canned, client: Client, name: str, **arguments: Any) -> Asked:
    client.call(name, **arguments)
    return server.asked[-1]


@compreface
def test_compreface_is_asked_to_recognise_with_a_part_named_file(
    client_at: Callable[..., Client], picture: Path
) -> None:
    box = {"probability": 1.0, "x_min": 0, "y_min": 0, "x_max": 9, "y_max": 9}
    recognised = {"result": [{"box": box, "subjects": [{"subject": "S", "similarity": 1.0}]}]}
    with canned({"/api/v1/recognition/recognize": Answer(recognised)}) as server, client_at(server.url, KEY) as client:
        assert client.call("recognize", image=picture, limit=0, prediction_count=1) == recognised
        (asked,) = server.asked
    assert (asked.method, asked.headers["x-api-key"]) == ("POST", KEY)
    assert asked.query["limit"] == "0"
    assert asked.parts == {"file": PICTURE}


@compreface
def test_compreface_is_asked_to_enrol_to_verify_and_to_detect(client_at: Callable[..., Client], picture: Path) -> None:
    with canned({"*": Answer({"result": []})}) as server, client_at(server.url, KEY) as client:
        enrolled = asked_by(server, client, "add_example", image=picture, subject="S")
        one_to_one = asked_by(server, client, "verify_example", image=picture, image_id=ID)
        verified = asked_by(server, client, "verify", source_image=picture, target_image=picture)
        detected = asked_by(server, client, "detect", image=picture)
    assert (enrolled.target, enrolled.parts) == (f"{FACES}?subject=S", {"file": PICTURE})
    assert (one_to_one.path, one_to_one.parts) == (f"{FACES}/{ID}/verify", {"file": PICTURE})
    assert verified.path == "/api/v1/verification/verify"
    assert verified.parts == {"source_image": PICTURE, "target_image": PICTURE}
    assert (detected.path, detected.parts) == ("/api/v1/detection/detect", {"file": PICTURE})


@compreface
def test_compreface_is_asked_for_the_whole_life_of_a_subject(client_at: Callable[..., Client]) -> None:
    with canned({"*": Answer({"told": "as it came"})}) as server, client_at(server.url, KEY) as client:
        for name, arguments, request in COMPREFACE_CALLS:
            assert client.call(name, **arguments) == {"told": "as it came"}
            asked = server.asked[-1]
            assert f"{asked.method} {asked.target}" == request
            assert asked.headers["x-api-key"] == KEY
        added, renamed = server.asked[0].json, server.asked[2].json
    assert added == {"subject": "S"}
    assert renamed["subject"] == "T"


def test_compreface_for_node_sends_a_text_as_json_and_deletes_many_at_once() -> None:
    with canned({"*": Answer([])}) as server, compreface_js_sdk(server.url, KEY) as client:
        as_text = asked_by(server, client, "recognize", image=TEXT_OF_PICTURE)
        many = asked_by(server, client, "delete_many_examples", image_ids=[ID])
        every = asked_by(server, client, "delete_all_examples")
    assert as_text.json == {"file": TEXT_OF_PICTURE}
    assert (many.target, many.json) == (f"{FACES}/delete", [ID])
    assert (every.method, every.target) == ("DELETE", FACES)


def test_a_refusal_is_an_answer_to_one_client_of_compreface_and_an_error_to_the_other(picture: Path) -> None:
    no_face = {"message": "No face is found in the given image", "code": 28}
    with canned({"*": Answer(no_face, 400)}) as server:
        with compreface_sdk(server.url, KEY) as client:
            assert client.call("recognize", image=picture) == no_face
        with compreface_js_sdk(server.url, KEY) as client, pytest.raises(ClientError) as refused:
            client.call("recognize", image=picture)
    assert refused.value.code == 28


@rekognition
def test_rekognition_is_asked_with_a_signature_made_from_the_environment(
    client_at: Callable[..., Client], picture: Path
) -> None:
    matches = [{"Similarity": 100.0, "Face": {"FaceId": ID, "ExternalImageId": "S"}}]
    found = {"FaceMatches": matches, "FaceModelVersion": "7.0", "SearchedFaceConfidence": 100.0}
    with canned({"/": _amz(found)}) as server, client_at(server.url, "AKID", "secret", "eu-central-1") as client:
        answer = client.call("SearchFacesByImage", CollectionId="staff", Image={"Bytes": picture}, MaxFaces=1)
        (asked,) = server.asked
    assert answer["FaceMatches"] == matches
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/x-amz-json-1.1")
    assert asked.headers["x-amz-target"] == "RekognitionService.SearchFacesByImage"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/eu-central-1/rekognition/aws4_request, SignedHeaders=" in asked.headers["authorization"]
    assert asked.json == {"CollectionId": "staff", "Image": {"Bytes": TEXT_OF_PICTURE}, "MaxFaces": 1}


@rekognition
def test_rekognition_is_asked_for_the_whole_life_of_a_collection(
    client_at: Callable[..., Client], picture: Path
) -> None:
    image = {"Bytes": picture}
    calls = [
        *AWS_CALLS,
        ("IndexFaces", {"CollectionId": "staff", "Image": image, "ExternalImageId": "S"}),
        ("CompareFaces", {"SourceImage": image, "TargetImage": image}),
        ("DetectFaces", {"Image": image}),
    ]
    with canned({"/": _amz({})}) as server, client_at(server.url, "AKID", "secret") as client:
        for operation, arguments in calls:
            asked = asked_by(server, client, operation, **arguments)
            assert asked.headers["x-amz-target"] == f"RekognitionService.{operation}"
            assert asked.json == {
                name: {"Bytes": TEXT_OF_PICTURE} if value is image else value for name, value in arguments.items()
            }


@rekognition
def test_a_refusal_of_rekognition_is_an_error_with_its_code(client_at: Callable[..., Client]) -> None:
    refusal = {"__type": "ResourceNotFoundException", "message": "The collection id: staff does not exist"}
    with (
        canned({"/": _amz(refusal, 400)}) as server,
        client_at(server.url, "AKID", "secret") as client,
        pytest.raises(ClientError, match="The collection id: staff does not exist") as refused,
    ):
        client.call("ListFaces", CollectionId="staff")
    assert refused.value.code == "ResourceNotFoundException"


def test_deepstack_is_asked_with_a_part_named_image_and_the_key_beside_it(picture: Path) -> None:
    seen = [{"userid": "S", "confidence": 1.0, "x_min": 0, "y_min": 0, "x_max": 9, "y_max": 9}]
    answers = {
        "/v1/vision/face/recognize": Answer({"success": True, "predictions": seen, "duration": 0}),
        "/v1/vision/face": Answer({"success": True, "predictions": [], "duration": 0}),
        "/v1/vision/face/register": Answer({"success": True, "message": "face added"}),
        "/v1/vision/face/list": Answer({"success": True, "faces": ["S"]}),
    }
    with canned(answers) as server, deepstack_python(server.url, "key") as client:
        assert client.call("register", name="S", image=picture) == "face added"
        assert client.call("recognize", image=picture) == seen
        assert client.call("detect", image=picture) == []
        assert client.call("get_registered_faces") == ["S"]
        registered, recognised, _, listed = server.asked
    assert recognised.parts["image"] == PICTURE
    assert recognised.parts["api_key"] == b"key"
    assert registered.parts["userid"] == b"S"
    assert listed.form == {"api_key": "key"}


def test_a_refusal_of_deepstack_is_an_error(picture: Path) -> None:
    refusal = {"success": False, "error": "could not find any face"}
    with (
        canned({"*": Answer(refusal)}) as server,
        deepstack_python(server.url) as client,
        pytest.raises(ClientError, match="could not find any face") as refused,
    ):
        client.call("register", name="S", image=picture)
    assert refused.value.kind == "DeepstackException"


@baidu
def test_baidu_is_asked_for_a_token_once_and_then_with_it(client_at: Callable[..., Client], picture: Path) -> None:
    users = [{"group_id": "g", "user_id": "S", "user_info": "", "score": 100}]
    found = {"error_code": 0, "error_msg": "SUCCESS", "result": {"face_token": "t", "user_list": users}}
    with canned(_baidu(found)) as server, connect_proxy(server.port) as proxy:
        with client_at(proxy if client_at is baidu_aip else server.url, "AK", "SK") as client:
            for name, arguments, path in BAIDU_PICTURE_CALLS:
                assert client.call(name, image=picture, **arguments) == found
                asked = server.asked[-1]
                assert (asked.method, asked.path) == ("POST", path)
                assert asked.query["access_token"].partition("?")[0] == "T"
                assert asked.headers["host"] == "aip.baidubce.com"
                assert asked.json == {"image": TEXT_OF_PICTURE, "image_type": "BASE64", **arguments}
            matched = asked_by(server, client, "match", images=[picture, picture])
        for_token = server.asked[0]
    credentials = for_token.query if client_at is baidu_aip else for_token.form
    assert credentials == {"grant_type": "client_credentials", "client_id": "AK", "client_secret": "SK"}
    assert [asked.path for asked in server.asked].count("/oauth/2.0/token") == 1
    assert matched.path == "/rest/2.0/face/v3/match"
    assert matched.json == [{"image": TEXT_OF_PICTURE, "image_type": "BASE64"}] * 2


@baidu
def test_baidu_is_asked_for_the_whole_life_of_a_group(client_at: Callable[..., Client]) -> None:
    done = {"error_code": 0, "error_msg": "SUCCESS", "result": None}
    with (
        canned(_baidu(done)) as server,
        connect_proxy(server.port) as proxy,
        client_at(proxy if client_at is baidu_aip else server.url, "AK", "SK") as client,
    ):
        for name, arguments, path in BAIDU_CALLS:
            assert client.call(name, **arguments) == done
            assert server.asked[-1].path == path
            assert server.asked[-1].json == arguments


def test_tencent_is_asked_by_action_with_a_signature(picture: Path) -> None:
    results = [{"Candidates": [{"PersonId": "S", "FaceId": "1", "Score": 100.0}], "RetCode": 0}]
    answer = {"Response": {"Results": results, "FaceNum": 1, "FaceModelVersion": "3.0", "RequestId": "r"}}
    with canned({"/": Answer(answer)}) as server, tencent_iai(server.url, "SID", "secret") as client:
        found = client.call("SearchFaces", Image=picture, GroupIds=["staff"])
        (asked,) = server.asked
    assert found["Results"][0]["Candidates"][0]["PersonId"] == "S"
    assert (asked.headers["x-tc-action"], asked.headers["x-tc-version"]) == ("SearchFaces", "2020-03-03")
    assert asked.headers["authorization"].startswith("TC3-HMAC-SHA256 Credential=SID/")
    assert asked.json == {"Image": TEXT_OF_PICTURE, "GroupIds": ["staff"]}


def test_tencent_is_asked_for_the_whole_life_of_a_person(picture: Path) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("CreateGroup", {"GroupId": "staff", "GroupName": "Staff"}),
        ("CreatePerson", {"GroupId": "staff", "PersonId": "S", "PersonName": "S", "Image": picture}),
        ("CreateFace", {"PersonId": "S", "Images": [picture]}),
        ("VerifyFace", {"PersonId": "S", "Image": picture}),
        ("CompareFace", {"ImageA": picture, "ImageB": picture}),
        ("GetPersonList", {"GroupId": "staff"}),
        ("DeletePerson", {"PersonId": "S"}),
        ("DeleteGroup", {"GroupId": "staff"}),
    ]
    with (
        canned({"/": Answer({"Response": {"RequestId": "r"}})}) as server,
        tencent_iai(server.url, "SID", "secret") as client,
    ):
        for action, arguments in calls:
            asked = asked_by(server, client, action, **arguments)
            assert asked.headers["x-tc-action"] == action
            assert asked.json.keys() == arguments.keys()
        assert server.asked[2].json["Images"] == [TEXT_OF_PICTURE]


def test_a_refusal_of_tencent_is_an_error_with_its_code(picture: Path) -> None:
    error = {"Code": "FailedOperation.NoFaceInPhoto", "Message": "No face in the photo."}
    with (
        canned({"/": Answer({"Response": {"Error": error, "RequestId": "r"}})}) as server,
        tencent_iai(server.url, "SID", "secret") as client,
        pytest.raises(ClientError) as refused,
    ):
        client.call("SearchFaces", Image=picture, GroupIds=["staff"])
    assert refused.value.code == "FailedOperation.NoFaceInPhoto"


def test_facepp_is_asked_with_keys_beside_the_picture(picture: Path) -> None:
    found = {"request_id": "r", "results": [{"confidence": 100.0, "user_id": "S", "face_token": "t"}], "faces": []}
    with canned({"*": Answer(found)}) as server, python_facepp(server.url, "AK", "AS") as client:
        assert client.call("search", image=picture, outer_id="staff")["results"] == found["results"]
        compared = asked_by(server, client, "compare", image1=picture, image2=picture)
        detected = asked_by(server, client, "detect", image=picture)
        searched = server.asked[0]
    assert searched.path == "/facepp/v3/search"
    assert searched.parts == {"api_key": b"AK", "api_secret": b"AS", "outer_id": b"staff", "image_file": PICTURE}
    assert (compared.path, compared.parts["image_file1"]) == ("/facepp/v3/compare", PICTURE)
    assert compared.parts["image_file2"] == PICTURE
    assert detected.path == "/facepp/v3/detect"


def test_facepp_is_asked_to_name_a_face_and_to_put_it_into_a_faceset(picture: Path) -> None:
    face = {"face_token": "t", "face_rectangle": {"top": 0, "left": 0, "width": 9, "height": 9}}
    answers = {
        "/facepp/v3/detect": Answer({"request_id": "r", "faces": [face], "face_num": 1}),
        "/facepp/v3/face/getdetail": Answer({"request_id": "r", "facesets": [{"faceset_token": "F"}], **face}),
        "*": Answer({"request_id": "r"}),
    }
    with canned(answers) as server, python_facepp(server.url, "AK", "AS") as client:
        (enrolled,) = client.call("enrol", image=picture, outer_id="staff", user_id="S")
        steps = [asked.path.removeprefix("/facepp/v3/") for asked in server.asked]
        named = server.asked[-1].form
        client.call("remove", face_token="t")
        removed = server.asked[-1]
    assert enrolled["face_token"] == "t"
    assert steps == ["detect", "face/getdetail", "faceset/removeface", "faceset/addface", "face/setuserid"]
    assert (named["user_id"], named["face_token"]) == ("S", "t")
    assert (removed.path, removed.form["faceset_token"]) == ("/facepp/v3/faceset/removeface", "F")


def test_facepp_is_asked_for_the_whole_life_of_a_faceset() -> None:
    with (
        canned({"*": Answer({"request_id": "r", "facesets": []})}) as server,
        python_facepp(server.url, "AK", "AS") as client,
    ):
        for name, arguments, step in FACEPP_CALLS:
            asked = asked_by(server, client, name, **arguments)
            assert asked.path == f"/facepp/v3/faceset/{step}"
            assert asked.form["outer_id"] == "staff"
        assert client.call("list_facesets") == []
        assert server.asked[-1].path == "/facepp/v3/faceset/getfacesets"


def test_a_refusal_of_facepp_is_an_error_of_its_own_class(picture: Path) -> None:
    with (
        canned({"*": Answer({"error_message": "INVALID_OUTER_ID"}, 400)}) as server,
        python_facepp(server.url, "AK", "AS") as client,
        pytest.raises(ClientError) as refused,
    ):
        client.call("search", image=picture, outer_id="staff")
    assert refused.value.kind == "InvalidOuterId"


def _amz(answer: dict[str, Any], status: int = 200) -> Answer:
    return Answer(answer, status, "application/x-amz-json-1.1")


def _baidu(answer: dict[str, Any]) -> dict[str, Answer]:
    token = {"access_token": "T", "expires_in": 2592000, "scope": "public brain_all_scope"}
    return {"/oauth/2.0/token": Answer(token), "*": Answer(answer)}
