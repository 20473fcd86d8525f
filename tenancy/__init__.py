"""Who may work where: tenants, stores, users, staff members, access tokens and their rights."""
