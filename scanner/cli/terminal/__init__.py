"""What commands share with the person at the terminal: options, messages, tables, colours, exit codes."""
