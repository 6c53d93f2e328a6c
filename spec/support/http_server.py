"""A web server on the loopback that misbehaves as it is told: for fetch_spec.lua.

    http_server.py FOLDER REPORT [CERTIFICATE KEY]

Serves the files of FOLDER; the first part of a path says how (`ways` below), a second may be a
number: /cut/1000/NAME. Writes "PORT TLS_PORT SILENT_PORT" to REPORT, then a line for each request:
the path and the Range. Nothing answers at SILENT_PORT. Ends when its standard input does.
"""
import http.server
import os
import socket
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

folder = sys.argv[1]
report = open(sys.argv[2], "a", buffering=1)
ways = {}


def way(f):
    ways[f.__name__] = f
    return f


def first_byte(r):
    """Where the request wants to begin."""
    text = r.headers.get("Range", "bytes=0-")
    return int(text[len("bytes="):-1])


def head(r, status, **fields):
    r.send_response(status)
    for name, value in fields.items():
        r.send_header(name.replace("_", "-"), str(value))
    r.end_headers()


def answer(r, first, announced=None):
    """The head of a good answer from a byte on."""
    length = len(r.data) - first if announced is None else announced
    if first:
        head(r, 206, Content_Length=length,
             Content_Range="bytes %d-%d/%d" % (first, len(r.data) - 1, len(r.data)))
    else:
        head(r, 200, Content_Length=length)


@way
def ok(r, _):
    first = first_byte(r)
    if first >= len(r.data):
        head(r, 416, Content_Length=0)
        return
    answer(r, first)
    r.wfile.write(r.data[first:])


@way
def cut(r, n):
    """Breaks off after n bytes, every time."""
    first = first_byte(r)
    answer(r, first)
    r.wfile.write(r.data[first:first + n])


@way
def cutwhole(r, n):
    """The same, and ignores ranges."""
    answer(r, 0)
    r.wfile.write(r.data[:n])


@way
def noranges(r, _):
    answer(r, 0)
    r.wfile.write(r.data)


@way
def wrongrange(r, n):
    """Sends a range from byte n, whatever was asked for; whole files are right."""
    if "Range" not in r.headers:
        ok(r, 0)
        return
    answer(r, n)
    r.wfile.write(r.data[n:])


@way
def longer(r, n):
    """Announces n bytes more than come."""
    answer(r, 0, len(r.data) + n)
    r.wfile.write(r.data)


@way
def shorter(r, n):
    """Announces n bytes fewer than it has."""
    answer(r, 0, len(r.data) - n)
    r.wfile.write(r.data[:len(r.data) - n])


def chunked(r, body):
    head(r, 200, Transfer_Encoding="chunked")
    r.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


@way
def chunks(r, _):
    chunked(r, r.data)


@way
def more(r, n):
    """Announces nothing, and sends n bytes more."""
    chunked(r, r.data + b"x" * n)


@way
def fewer(r, n):
    """Announces nothing, and sends n bytes fewer."""
    chunked(r, r.data[:-n])


@way
def untold(r, n):
    """The end of the connection is the end of the file, n bytes too early."""
    r.protocol_version = "HTTP/1.0"
    head(r, 200)
    r.wfile.write(r.data[:len(r.data) - n])


@way
def wrong(r, _):
    """Other bytes, as many."""
    answer(r, 0)
    r.wfile.write(bytes(b ^ 1 for b in r.data))


@way
def stop(r, n):
    """n bytes, and then nothing for long."""
    first = first_byte(r)
    answer(r, first)
    r.wfile.write(r.data[first:first + n])
    r.wfile.flush()
    time.sleep(30)


@way
def hang(r, _):
    time.sleep(30)


@way
def slow(r, n):
    """n bytes at a time."""
    first = first_byte(r)
    answer(r, first)
    for i in range(first, len(r.data), n):
        r.wfile.write(r.data[i:i + n])
        r.wfile.flush()
        time.sleep(0.05)


@way
def status(r, n):
    body = b"this is no file"
    head(r, n, Content_Length=len(body))
    r.wfile.write(body)


@way
def to(r, _):
    """Redirects to what the query says."""
    where = urllib.parse.unquote(urllib.parse.urlsplit(r.path).query)
    head(r, 302, Location=where, Content_Length=0)


@way
def round(r, _):
    """Redirects to itself."""
    head(r, 302, Location=r.path, Content_Length=0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        report.write("%s %s\n" % (self.path, self.headers.get("Range", "")))
        parts = urllib.parse.urlsplit(self.path).path.split("/")
        n = int(parts[2]) if len(parts) > 2 and parts[2].isdigit() else 0
        try:
            self.data = b""
            name = os.path.join(folder, parts[-1])
            if parts[1] in ("to", "round", "status") or os.path.isfile(name):
                if os.path.isfile(name):
                    with open(name, "rb") as file:
                        self.data = file.read()
                ways[parts[1]](self, n)
            else:
                status(self, 404)
        except OSError:  # the other side went away
            pass

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # clients that break off are what this is for
        pass


servers = [Server(("127.0.0.1", 0), Handler)]
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    servers.append(Server(("127.0.0.1", 0), Handler))
    servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
ports = [server.server_address[1] for server in servers]
silent = socket.create_server(("127.0.0.1", 0))
report.write("%d %d %d\n" % (ports[0], ports[-1], silent.getsockname()[1]))
sys.stdin.read()
os._exit(0)
