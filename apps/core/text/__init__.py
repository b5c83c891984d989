"""Plain text work without a model: sentence borders (`sentences`) and the language guess (`language`)."""
