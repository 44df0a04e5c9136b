"""Whose certificates are believed: SSL_CERT_FILE and SSL_CERT_DIR, else the system's store, else certifi's.

On macOS and Windows the system is asked through truststore. Where the store is a file, truststore would
read it anew for every connection (measured: 25 ms each on the event loop, and every POST has a
connection of its own), so there it is read once, here.
"""

from __future__ import annotations

import importlib
import os
import re
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from kai_tui.backends.base import CannotConnect

FILE_VARIABLE: Final = "SSL_CERT_FILE"
FOLDER_VARIABLE: Final = "SSL_CERT_DIR"

_STORES: Final = (
    "/etc/ssl/cert.pem",  # Alpine, Arch, Fedora, BSD
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # newer Fedora, RHEL
    "/etc/pki/tls/cert.pem",  # older Fedora, RHEL
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
"""Where systems keep it, for a Python that was built to look elsewhere."""
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]")


def trusted_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """TLS as a client that checks certificate and host name. Reads files: some 20 ms, not for the event loop.

    Raises CannotConnect (code `tls`) when a variable names what cannot be read: trusting somebody
    else instead would be wrong.
    """
    file, folder = environ.get(FILE_VARIABLE, ""), environ.get(FOLDER_VARIABLE, "")
    if file or folder:
        return _of_variables(file, folder)
    if sys.platform in ("darwin", "win32"):
        try:
            # By name: it is not installed elsewhere, and a type checker there does not find it.
            truststore = importlib.import_module("truststore")
            return cast("ssl.SSLContext", truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except (ImportError, OSError, AttributeError):
            pass  # a system truststore does not know
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not _add_system_store(context):
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context


def _of_variables(file: str, folder: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if folder and not any(Path(each).is_dir() for each in folder.split(os.pathsep)):
        raise _unreadable(FOLDER_VARIABLE, folder, "is no folder")
    try:
        context.load_verify_locations(cafile=file or None, capath=folder or None)
    except (OSError, ValueError):
        raise _unreadable(FILE_VARIABLE, file, "is no readable file of certificates (PEM)") from None
    return context


def _add_system_store(context: ssl.SSLContext) -> bool:
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and _holds_certificates(paths.capath)):
        context.load_default_certs()
        return True
    for store in _STORES:
        try:
            context.load_verify_locations(cafile=store)
        except (OSError, ValueError):
            continue
        return True
    return False


def _holds_certificates(folder: str) -> bool:
    try:
        return any(_HASHED.fullmatch(name) for name in os.listdir(folder))  # noqa: PTH208 - thousands of names
    except OSError:
        return False


def _unreadable(variable: str, value: str, what: str) -> CannotConnect:
    shown = value if len(value) <= 100 else f"…{value[-99:]}"
    return CannotConnect(
        f"Secure connections are not possible: {variable} names {shown}, which {what}. Correct or unset it.",
        code="tls",
    )
