"""The queue of uploads and its one task, as `uploads.sql` of the migrations names them."""

QUEUE = "ingest"
TASK = "ingest.upload"
