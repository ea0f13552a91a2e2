"""deepstack-python, set up by host, port and key alone."""

from deepstack.core import DeepstackFace
from dialogue import SETTINGS, converse

face = DeepstackFace(SETTINGS["host"], int(SETTINGS["port"]), SETTINGS["key"])

converse(
    {
        "detect": lambda image: face.detect(image.read_bytes()),
        "register": lambda name, image: face.register(name, image.read_bytes()),
        "recognize": lambda image: face.recognize(image.read_bytes()),
        "get_registered_faces": face.get_registered_faces,
    }
)
