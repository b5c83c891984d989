"""What every answer over HTTP has in common: headers, limits, error pages, the address of the client."""
