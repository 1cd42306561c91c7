"""What all HTTP surfaces share: the caller, limits, errors, paging, streams."""
