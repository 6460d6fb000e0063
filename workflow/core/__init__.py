"""The pure core: flows, engine, guards, routing and identifiers, without framework, clock or I/O."""
