"""Certificates of this machine, made by openssl."""

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> Path:
    """A certificate that is its own authority, and its key beside it as `cert.key`."""
    file = folder / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*make, "-keyout", file.with_suffix(".key"), "-out", file], check=True, capture_output=True)
    return file
