"""An API key, checked before it is put into a header."""

from reconciler.errors import CredentialsError
from reconciler.model.secret import ApiKey

_REMEDY = "make one in the Momento console and set it without quotes or line breaks"


def check_key(text: str, where: str) -> ApiKey:
    """The key, without white space around it.

    `where` says where it came from (`MOMENTO_API_KEY`, a file's name). Raises CredentialsError, which never shows the
    key, where there is none or where no header can carry it.
    """
    key = text.strip()
    if not key:
        raise CredentialsError(f"{where} holds no API key", remedy=_REMEDY)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise CredentialsError(f"what {where} holds is no API key: a header can't carry it", remedy=_REMEDY)
    return ApiKey(key)
