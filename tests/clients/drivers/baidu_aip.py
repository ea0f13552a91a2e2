"""baidu-aip, set up by its keys and a proxy. Its methods under their own names, with the API's names of the arguments."""

from functools import partial
from pathlib import Path
from typing import Any

from aip import AipFace
from dialogue import SETTINGS, converse, in_base64, with_pictures

POSITIONAL = {
    "detect": ("image", "image_type"),
    "search": ("image", "image_type", "group_id_list"),
    "multiSearch": ("image", "image_type", "group_id_list"),
    "addUser": ("image", "image_type", "group_id", "user_id"),
    "updateUser": ("image", "image_type", "group_id", "user_id"),
    "getUser": ("user_id", "group_id"),
    "deleteUser": ("group_id", "user_id"),
    "userCopy": ("user_id",),
    "faceGetlist": ("user_id", "group_id"),
    "faceDelete": ("user_id", "group_id", "face_token"),
    "groupAdd": ("group_id",),
    "groupDelete": ("group_id",),
    "getGroupList": (),
    "getGroupUsers": ("group_id",),
}
client = AipFace("0", SETTINGS["api_key"], SETTINGS["secret_key"])
client.setProxies({"https": SETTINGS["proxy"]})


def call(method: str, **arguments: Any) -> Any:
    given = {"image_type": "BASE64", **with_pictures(arguments, in_base64)}
    positional = [given[name] for name in POSITIONAL[method]]
    options = {name: given[name] for name in arguments if name not in POSITIONAL[method]}
    return getattr(client, method)(*positional, options)


def match(images: list[Path]) -> Any:
    return client.match([{"image": in_base64(image), "image_type": "BASE64"} for image in images])


converse({method: partial(call, method) for method in POSITIONAL} | {"match": match})
