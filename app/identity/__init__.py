"""Who somebody is: users, roles, keys and delegations, and the one maker of a Subject."""
