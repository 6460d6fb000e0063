"""What is kept: models and their queries, one module per aggregate; visibility, audit and outbox."""
