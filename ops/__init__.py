"""What runs and watches Joblens: images, units, the board, the alerts."""
