"""Pages of chat. Each works as a link or a form first; scripts ask for the same addresses and swap a part."""
