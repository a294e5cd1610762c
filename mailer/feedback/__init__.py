"""What comes back: mails, reports and SMTP replies become notices, and these change the ledger and the readers."""
