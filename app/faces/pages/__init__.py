"""Pages that people look at: plain files, served as they lie in the package. What they ask, they ask of the API."""
