"""What a cluster, a declaration, a fleet is: frozen, typed values.

What belongs here: values and the rules that each obeys by itself. What doesn't: reading them from anywhere (`desired`,
`live`), comparing two of them (`plan`), showing them (`report`).
"""
