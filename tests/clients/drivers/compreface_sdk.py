"""compreface-sdk, set up by host, port and key alone."""

from compreface import CompreFace
from dialogue import SETTINGS, converse

KEY = SETTINGS["key"]
service = CompreFace(SETTINGS["host"], SETTINGS["port"])
recognition = service.init_face_recognition(KEY)
verification = service.init_face_verification(KEY)
detection = service.init_face_detection(KEY)
examples = recognition.get_face_collection()
subjects = recognition.get_subjects()

converse(
    {
        "recognize": lambda image, **options: recognition.recognize(str(image), options),
        "verify": lambda source_image, target_image, **options: verification.verify(
            str(source_image), str(target_image), options
        ),
        "detect": lambda image, **options: detection.detect(str(image), options),
        "add_subject": subjects.add,
        "list_subjects": subjects.list,
        "rename_subject": subjects.update,
        "delete_subject": subjects.delete,
        "delete_all_subjects": subjects.delete_all,
        "add_example": lambda image, subject, **options: examples.add(str(image), subject, options),
        "list_examples": examples.list,
        "verify_example": lambda image, image_id, **options: examples.verify(str(image), image_id, options),
        "delete_example": examples.delete,
        "delete_examples": examples.delete_all,
    }
)
