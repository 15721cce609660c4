"""What people see: sections build a page once; `html`, `excel` and `console` print it."""
