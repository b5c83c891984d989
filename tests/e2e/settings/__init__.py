"""Settings of the product that the browser tests start."""
