"""Tasks that a child process runs in the tests."""

import os
import signal
import socket
import time
from pathlib import Path


def echo(data, **arguments):
    environment = sorted(os.environ)
    return {"length": len(data), "environment": environment, **arguments}, [data, b""]


def burn_cpu(data):
    while True:
        pass


def sleep(data):
    """Says its process id to the socket whose path is the input, and sleeps."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.connect(data.decode())
        listener.sendall(f"{os.getpid()}\n".encode())
        time.sleep(600)


def use_memory(data):
    return {}, [bytes(2_000_000_000)]


def write_much(data):
    return {}, [bytes(5_000_000)]


def raise_error(data):
    raise KeyError("x")


def crash(data):
    os.kill(os.getpid(), signal.SIGSEGV)


def write_file(data):
    Path(data.decode()).write_bytes(b"x")
    return {}, []


def return_no_json(data):
    return {"x": object()}, []
