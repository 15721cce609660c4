"""What is dear to make and can be made again: where it is kept, under which key, and how."""
