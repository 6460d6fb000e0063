"""Work outside of requests: the outbox's drain, the queue and scheduled jobs."""
