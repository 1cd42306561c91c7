"""Delivers into a bucket that speaks S3: each object is put once, under a name that its content alone can have."""

import configparser
import hashlib
from typing import TYPE_CHECKING, Any

from app.audit.delivery.addresses import DeliveryAddress, bucket_of
from app.audit.delivery.batch import Batch, NamedFile
from app.audit.delivery.target import TargetUnavailable, read_secret

if TYPE_CHECKING:
    from botocore.client import BaseClient

ALREADY_THERE = "PreconditionFailed"


class MissingBoto3(ValueError):
    """A bucket is named, and the library that speaks to it is not installed."""


def require_boto3() -> None:
    """Raises MissingBoto3, before anything is delivered."""
    try:
        import boto3  # noqa: F401, PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise MissingBoto3("deliveries to S3 need boto3: pip install 'boto3>=1.40'") from error


class S3Target:
    """A bucket, written to with the one right of putting objects: nothing of it is read, listed or replaced."""

    def __init__(self, address: DeliveryAddress) -> None:
        self._address = address
        self._endpoint, self._bucket, self._prefix = bucket_of(address.where)

    def send(self, batch: Batch) -> None:
        """Put the files of a batch."""
        client = self._client()
        for file in batch.files:
            self._put(client, file)

    def put(self, file: NamedFile) -> None:
        """Put one object."""
        self._put(self._client(), file)

    def _put(self, client: "BaseClient", file: NamedFile) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # an extra

        try:
            client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + file.name,
                Body=file.content,
                # Over what is there already nothing is written; by its name it is the same.
                IfNoneMatch="*",
                Metadata={"sha256": hashlib.sha256(file.content).hexdigest()},
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            if code != ALREADY_THERE:
                raise TargetUnavailable(f"S3: {code[:60]}") from error
        except BotoCoreError as error:
            raise TargetUnavailable(f"S3: {type(error).__name__}") from error

    def _client(self) -> "BaseClient":
        import boto3  # noqa: PLC0415  # an extra
        from botocore.config import Config  # noqa: PLC0415

        given: dict[str, Any] = {
            "endpoint_url": self._endpoint,
            "region_name": self._address.region,
            "verify": str(self._address.files["ca"]) if "ca" in self._address.files else None,
            "config": Config(
                connect_timeout=10,
                read_timeout=60,
                # Whoever delivers tries again by itself, and later each time.
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                # What stores other than Amazon's know.
                request_checksum_calculation="when_required",
            ),
        }
        return boto3.session.Session(**self._credentials()).client("s3", **given)

    def _credentials(self) -> dict[str, str]:
        """Those of the section `default` of a file as Amazon's tools have it."""
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(read_secret(self._address.files["credentials"]))
            section = parser["default"]
            return {name: section[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
        except (configparser.Error, KeyError) as error:
            raise TargetUnavailable("the file of credentials has no section 'default' with key and secret") from error
