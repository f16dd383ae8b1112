"""The standing queries of the audit: a base, a registry, and the kinds."""
