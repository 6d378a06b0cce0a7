"""What goes wrong: full disks, broken inputs, hostile names. Each test really does it."""
