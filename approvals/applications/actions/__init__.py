"""The only writers of this room; what others may call is named here."""

from approvals.applications.actions.creating import ApplicationSpec, Created, create_applications

__all__ = ["ApplicationSpec", "Created", "create_applications"]
