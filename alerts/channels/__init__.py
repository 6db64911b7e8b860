"""How a message is sent: email, Slack webhooks, Slack bot."""
