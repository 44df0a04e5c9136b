"""A sixth assistant, as somebody would add it (CONTRIBUTING.md): a folder, a line in the registry, a stand, a fake."""
