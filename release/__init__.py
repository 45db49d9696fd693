"""How trained recipes become checkpoints of this repository; not part of the installed package."""
