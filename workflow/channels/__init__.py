"""Adapters to the world outside: mail and group robots. They send what they are given and know nothing of cases."""
