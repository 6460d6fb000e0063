"""What people see: blueprints by feature, forms, access, and the request's one commit."""
