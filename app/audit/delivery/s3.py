"""Delivers into a bucket that speaks S3: each object is put once, under a name that its content alone can have."""

import configparser
from typing import TYPE_CHECKING, Any

from app.audit.delivery.addresses import DeliveryAddress, bucket_of
from app.audit.delivery.batch import Batch, NamedFile
from app.audit.delivery.target import TargetUnavailable, read_secret

if TYPE_CHECKING:
    from obstore.store import S3Store


class MissingObstore(ValueError):
    """A bucket is named, and the library that speaks to it is not installed."""


def require_obstore() -> None:
    """Raises MissingObstore, before anything is delivered."""
    try:
        import obstore  # noqa: F401, PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise MissingObstore("deliveries to S3 need obstore: pip install 'obstore>=0.12'") from error


class S3Target:
    """A bucket, written to with the one right of putting objects: nothing of it is read, listed or replaced."""

    def __init__(self, address: DeliveryAddress) -> None:
        self._address = address
        self._endpoint, self._bucket, self._prefix = bucket_of(address.where)

    def send(self, batch: Batch) -> None:
        """Put the files of a batch."""
        store = self._store()
        for file in batch.files:
            self._put(store, file)

    def put(self, file: NamedFile) -> None:
        """Put one object."""
        self._put(self._store(), file)

    def _put(self, store: "S3Store", file: NamedFile) -> None:
        import obstore  # noqa: PLC0415  # an extra
        from obstore.exceptions import AlreadyExistsError, BaseError  # noqa: PLC0415

        try:
            # Over what is there already nothing is written (If-None-Match); by its name it is the same.
            obstore.put(store, self._prefix + file.name, file.content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return
        except (BaseError, OSError) as error:
            # Its words may hold what the store said.
            raise TargetUnavailable(f"S3: {type(error).__name__}") from error

    def _store(self) -> "S3Store":
        from obstore.store import S3Store  # noqa: PLC0415  # an extra

        options: dict[str, Any] = {
            "timeout": "60s",
            "connect_timeout": "10s",
            "allow_http": self._endpoint.startswith("http://"),
        }
        if "ca" in self._address.files:
            options["root_certificate"] = read_secret(self._address.files["ca"])
        return S3Store(
            self._bucket,
            endpoint=self._endpoint,
            region=self._address.region,
            virtual_hosted_style_request=False,
            client_options=options,
            # Whoever delivers tries again by itself, and later each time.
            retry_config={"max_retries": 0},
            **self._credentials(),
        )

    def _credentials(self) -> dict[str, str]:
        """Those of the section `default` of a file as Amazon's tools have it."""
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(read_secret(self._address.files["credentials"]))
            section = parser["default"]
            return {
                "access_key_id": section["aws_access_key_id"],
                "secret_access_key": section["aws_secret_access_key"],
            }
        except (configparser.Error, KeyError) as error:
            raise TargetUnavailable("the file of credentials has no section 'default' with key and secret") from error
