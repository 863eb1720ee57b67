"""What a large corpus costs: time and memory, measured on generated ones."""
