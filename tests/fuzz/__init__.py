"""What must hold for any bytes whatever: one module for each reader of what strangers send, with one `check`.

`scripts/fuzz` looks for inputs that break one; those that reach something new are kept in `corpus`, and replayed by
`./test`.
"""
