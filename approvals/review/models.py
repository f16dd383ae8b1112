"""The review room has no tables of its own: queues and decisions live on the engine's."""
