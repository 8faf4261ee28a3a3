"""What is done to the sound of training crops: speed, rooms, noise."""
