"""From a packed dataset to the inputs of a network: batches, augmentation, front ends."""
