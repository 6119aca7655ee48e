"""What carries a published ranking to other systems: CRM uploads, conversion values of ads, an SQL table."""
