"""`./run chaos`: messages are sent while every process is killed in turn; nothing may be lost, doubled or reordered."""
