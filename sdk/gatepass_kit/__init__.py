"""The integrator's kit of Gatepass: issue and verify, with the network and without it.

    client = GatepassClient(url, api_key)          # issue passes and tokens, verify, list
    device = Device.set_up(link, folder)           # make this machine a device, once
    with Verifier(Device.load(folder)) as gate:    # decide at its gate
        gate.run_background()
        if gate.verify(text).opens: ...

`gatepass_kit.core` is the service's own core: the same rules, in the same words.
"""

from .client import GatepassClient
from .device import Device
from .errors import (
    ApiError,
    BundleRefused,
    Conflict,
    Forbidden,
    GatepassError,
    Invalid,
    NotFound,
    NotSetUp,
    ServiceFault,
    TooManyRequests,
    Unauthenticated,
    Unreachable,
)
from .result import Result
from .sync import Synced
from .verifier import Status, Verifier
from .version import VERSION

__version__ = VERSION

__all__ = [
    "ApiError",
    "BundleRefused",
    "Conflict",
    "Device",
    "Forbidden",
    "GatepassClient",
    "GatepassError",
    "Invalid",
    "NotFound",
    "NotSetUp",
    "Result",
    "ServiceFault",
    "Status",
    "Synced",
    "TooManyRequests",
    "Unauthenticated",
    "Unreachable",
    "Verifier",
    "__version__",
]
