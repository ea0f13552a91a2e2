"""Floor 1: what is kept, through SQLAlchemy Core. Nothing above this floor sees SQLAlchemy."""
