"""What an alert does to the air: effect, uncertainty, sensitivity."""
