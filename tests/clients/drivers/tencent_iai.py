"""tencentcloud-sdk-python-iai, set up by endpoint and keys alone. Called by the names of the API's actions."""

import json
import warnings
from functools import partial
from typing import Any

from dialogue import SETTINGS, converse, in_base64, with_pictures
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.iai.v20200303 import models
from tencentcloud.iai.v20200303.iai_client import IaiClient

# Models warn of members that they do not know, but for those of an answer itself: `call` looks at these.
warnings.filterwarnings("error", ".* fileds are useless", UserWarning)


class Listening(IaiClient):
    """The client, which remembers the answer as it came."""

    heard = ""

    def call(self, *arguments: Any, **options: Any) -> Any:
        self.heard = super().call(*arguments, **options)
        return self.heard


client = Listening(
    Credential(SETTINGS["secret_id"], SETTINGS["secret_key"]),
    SETTINGS["region"],
    ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=SETTINGS["endpoint"])),
)


def call(action: str, **arguments: Any) -> Any:
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps(with_pictures(arguments, in_base64)))
    answer = json.loads(getattr(client, action)(request).to_json_string())
    if unknown := json.loads(client.heard)["Response"].keys() - answer.keys():
        raise ValueError(f"the answer has unknown members: {', '.join(sorted(unknown))}")
    return answer


actions = [action for action in vars(IaiClient) if hasattr(models, f"{action}Request")]
converse({action: partial(call, action) for action in actions}, lambda error: getattr(error, "code", None))
