"""A certificate, made by openssl's own command."""

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.sandbox.server import Certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Signed by itself, for this machine."""
    if shutil.which("openssl") is None:
        pytest.skip("NOT TESTED: there is no `openssl` to make a certificate with; install it to test HTTPS")
    folder: Path = tmp_path_factory.mktemp("certificate")
    cert_file, key_file = str(folder / "cert.pem"), str(folder / "key.pem")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-days", "2"]
    subprocess.run([*new, *name, "-keyout", key_file, "-out", cert_file], check=True, capture_output=True)
    return Certificate(cert_file, key_file)
