"""What the system does: one function a use case, in the caller's transaction, with ``actor`` and ``now`` passed in."""
