"""The commands, one file each: what `airsim NAME` does, read from top to bottom."""
