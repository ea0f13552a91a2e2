"""python-facepp, set up by its address and keys alone."""

from pathlib import Path
from typing import Any

from dialogue import SETTINGS, converse
from facepplib import FacePP

service = FacePP(SETTINGS["api_key"], SETTINGS["api_secret"], url=SETTINGS["url"])


def enrol(image: Path, outer_id: str, user_id: str) -> list[Any]:
    """Every face of a picture named and put into a FaceSet: the way of the client's own demonstration."""
    faces = [face.save(outer_ids=[outer_id], user_id=user_id) for face in service.face.all(image_file=str(image))]
    return [face.raw() for face in faces]


def remove(face_token: str) -> Any:
    """Out of every FaceSet: the client has no other way to take a face away."""
    return service.face.get(face_token=face_token).save(outer_ids=[]).raw()


converse(
    {
        "detect": lambda image: service.image.get(image_file=str(image)).raw(),
        "search": lambda image, **faceset: service.search.get(image_file=str(image), **faceset).raw(),
        "compare": lambda image1, image2: service.compare.get(image_file1=str(image1), image_file2=str(image2)).raw(),
        "enrol": enrol,
        "remove": remove,
        "get_face": lambda face_token: service.face.get(face_token=face_token).raw(),
        "create_faceset": lambda **fields: service.face_set.create(**fields).raw(),
        "list_facesets": lambda: [faceset.raw() for faceset in service.face_set.all()],
        "get_faceset": lambda **which: service.face_set.get(**which).raw(),
        "update_faceset": lambda **fields: service.face_set.update(**fields).raw(),
        "delete_faceset": lambda **which: service.face_set.delete(**which).raw(),
    }
)
