"""What the tests of floor 0 share."""

from hypothesis import settings

settings.register_profile("core", deadline=None)  # the machine may be busy; none of these tests is about speed
settings.load_profile("core")
