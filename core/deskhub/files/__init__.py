"""Files of messages: taken in, looked at, kept, and given out to those who may see them."""
