"""What runs: the one daemon, composed of the rooms below it, and more processes beside one that sends."""
