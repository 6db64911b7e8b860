"""The texts of pages, mails and Slack messages, and how dates stand in them."""
