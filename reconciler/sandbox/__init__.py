"""An embedded control plane: the API document as a small, durable, faithful server.

It shares no code with the reconciler but errors and clock, so that the one can hold the other to the document.
"""
