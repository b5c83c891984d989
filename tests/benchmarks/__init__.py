"""Benchmarks as commands: `./run bench <name> --size quick|standard|full`, one JSON object a line."""
