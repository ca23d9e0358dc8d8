"""A parser that does what a document tells it to; another process can import it."""

import os
import resource
import signal
import time

from ingestion.parse import Parsed
from ingestion.parse import parse as parse_well


class Panic(BaseException):
    """What a parser in Rust raises where it has a bug: no Exception."""


def parse(raw: bytes, format: str, path: str) -> Parsed:
    """`ingestion.parse.parse`, but for the words below."""
    match raw.strip():
        case b"hang":
            time.sleep(600)
        case b"spin":
            while True:
                pass
        case b"hog":
            bytearray(100_000_000_000)
        case b"segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"exit":
            os._exit(3)
        case b"panic":
            raise Panic("index out of bounds")
        case b"memory":
            return Parsed("memory", str(resource.getrlimit(resource.RLIMIT_AS)[0]))
        case b"process":
            return Parsed("process", str(os.getpid()))
    return parse_well(raw, format, path)
