"""What the page itself remembers: users, logins, tokens, territories, feedback, audit log, saved views."""
