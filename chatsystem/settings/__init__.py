"""Settings profiles: `base` for all, `prod` (hard), `embedded` (`./run`), `dev` (reload, debug), `test`."""
