"""What seals the records of all databases of tests."""

from app.audit.encryption import Sealer
from tests.support.cluster import AUDIT_KEY

SEALER = Sealer(bytes.fromhex(AUDIT_KEY))
