"""Series: values of a training over its steps and epochs, kept, read and published."""
