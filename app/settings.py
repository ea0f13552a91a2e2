"""Settings: environment variables with the prefix `GATEPASS_`. `docs/operations.md` explains each."""

from pathlib import Path

import sqlalchemy
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the operator decides."""

    model_config = SettingsConfigDict(env_prefix="GATEPASS_", extra="ignore")

    database_url: str = "sqlite:///gatepass.db"
    master_key: SecretStr | None = None
    master_key_file: Path | None = None
    public_url: str | None = None
    faces: str = ""
    public_hosts: str = ""
    allowed_origins: str = ""
    device_networks: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    settle_timeout_s: float = Field(default=1.5, gt=0, le=30)
    picture_workers: int = Field(default=2, ge=1, le=64)
    picture_timeout_s: float = Field(default=2.0, gt=0, le=30)

    def default_master_key_file(self) -> Path | None:
        """Beside the SQLite database; None for another engine, where the operator has to say."""
        url = sqlalchemy.make_url(self.database_url)
        if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
            return None
        database = Path(url.database)
        return database.with_name(database.name + ".master-key")
