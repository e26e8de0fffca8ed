"""What people read who do not use the command line."""
