"""Records, a file for each noun: how they are found, kept and listed within one transaction."""
