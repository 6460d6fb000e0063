"""Forms: what pages ask for, bound and rendered by WTForms; what is right is decided by core and services."""
