"""An embedded cluster, inbox and Mailgun: for `teleport-email sandbox`, the demo, and the tests."""
