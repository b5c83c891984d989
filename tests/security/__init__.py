"""Promises of SECURITY, from outside: every test has a control and turns red with its protection off."""
