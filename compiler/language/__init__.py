"""What exists at run time, shared by compiler, interpreter and translator."""
