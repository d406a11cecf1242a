"""Attacks on a running `finelens serve`, over raw sockets; prints one line for each, and what came of it.

    finelens serve --index INDEX --addr 127.0.0.1:7700 &
    python bench/serve/attack.py 127.0.0.1:7700 PID [name...]

PID is the server's, to read its memory from /proc. Needs Python 3.11 and Pillow (for the pictures). Only for servers of your own.
"""

import io
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

ADDRESS, PID = sys.argv[1], int(sys.argv[2])
CHOSEN = set(sys.argv[3:])
HOST, PORT = ADDRESS.rsplit(":", 1)
MARKED = "X-Finelens: 1\r\n"


def connect(seconds=30):
    stream = socket.create_connection((HOST, int(PORT)), timeout=seconds)
    return stream


def raw(data, seconds=30):
    """Sends bytes, reads to the end; the status, or why there was none."""
    stream = connect(seconds)
    try:
        try:
            stream.sendall(data)
        except OSError:
            pass
        told = b""
        try:
            while piece := stream.recv(1 << 16):
                told += piece
        except TimeoutError:
            return "silence", told
        except OSError:
            pass
        if not told:
            return "closed", told
        return int(told.split(b" ", 2)[1]), told
    finally:
        stream.close()


def ask(method, path, headers="", body=b"", host=ADDRESS, seconds=30):
    length = f"Content-Length: {len(body)}\r\n" if body or method != "GET" else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{length}\r\n"
    return raw(head.encode() + body, seconds)


def code(told):
    found = re.search(rb'"code":"(\w+)"', told)
    return found.group(1).decode() if found else "-"


def form(picture, kind="image/png", name="a.png"):
    head = f'--edge\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + picture + b"\r\n--edge--\r\n"


def upload(picture, path="/api/uploads", kind="image/png", seconds=60):
    headers = MARKED + "Content-Type: multipart/form-data; boundary=edge\r\n"
    return ask("POST", path, headers, form(picture, kind), seconds=seconds)


def memory():
    with open(f"/proc/{PID}/status") as status:
        lines = dict(line.split(":", 1) for line in status if ":" in line)
    return int(lines["VmRSS"].split()[0]) // 1024, int(lines["VmHWM"].split()[0]) // 1024


def reset_peak():
    try:
        with open(f"/proc/{PID}/clear_refs", "w") as clear:
            clear.write("5")
    except OSError:
        pass


def counted(outcomes):
    counts = {}
    for outcome in outcomes:
        counts[outcome] = counts.get(outcome, 0) + 1
    return ", ".join(f"{key}: {count}" for key, count in sorted(counts.items(), key=str))


ATTACKS = []


def attack(function):
    ATTACKS.append(function)
    return function


@attack
def hosts():
    """3,000 random and mutated Host headers"""
    random.seed(1)
    outcomes = []
    base = [ADDRESS, "localhost", "[::1]", "evil.example", "127.0.0.1.evil.example", "localhost@evil.example"]
    allowed = []
    for _ in range(3000):
        host = bytearray(random.choice(base).encode())
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(host) + 1)
            host[at:at] = bytes([random.choice(b" \t.@:/\\#?%[]\x00\xffabc019-_,;")])
        status, told = raw(b"GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
        outcomes.append((status, code(told)))
        if status == 200:
            allowed.append(bytes(host))
    fine = re.compile(rb"^[ \t]*(localhost\.?|127(\.\d+){3}|\[::(0:)?1\])(:\d{1,5})?[ \t]*$", re.I)
    strange = [host for host in allowed if not fine.match(host)]
    return f"{counted(outcomes)}; let in by a name that is not ours: {strange or 'none'}"


@attack
def heads():
    """5,000 random heads, cut, doubled and with bytes exchanged, 100 at a time"""
    random.seed(2)
    good = (
        f"POST /api/search?q=a HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: close\r\nX-Finelens: 1\r\nOrigin: http://{ADDRESS}\r\n"
        "Cookie: finelens-7700=abc\r\nAuthorization: Bearer abc\r\nContent-Type: multipart/form-data; boundary=edge\r\n"
        "If-None-Match: \"a\"\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    many = []
    for _ in range(5000):
        head = bytearray(good)
        for _ in range(random.randrange(1, 8)):
            at = random.randrange(len(head))
            kind = random.randrange(3)
            if kind == 0:
                head[at] = random.randrange(256)
            elif kind == 1:
                head[at:at] = head[at : at + random.randrange(40)]
            else:
                del head[at : at + random.randrange(20)]
        head = bytes(head)
        if b"\r\n\r\n" not in head:
            head += b"\r\n\r\n"
        many.append(head)
    with ThreadPoolExecutor(100) as pool:
        return counted(pool.map(lambda head: raw(head, 15)[0], many))


@attack
def smuggling():
    """two requests in one: lengths that disagree, folded and bare lines, chunks that lie"""
    inner = f"GET /metrics HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: close\r\n\r\n"
    base = f"POST /api/logout HTTP/1.1\r\nHost: {ADDRESS}\r\n"
    tries = {
        "CL and TE": base + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        "TE with a space": base + f"Transfer-Encoding : chunked\r\nContent-Length: {len(inner)}\r\n\r\n" + inner,
        "TE xchunked": base + f"Transfer-Encoding: xchunked\r\nContent-Length: {len(inner)}\r\n\r\n" + inner,
        "TE twice": base + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
        "two lengths": base + f"Content-Length: 0\r\nContent-Length: {len(inner)}\r\n\r\n" + inner,
        "folded": base + " Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
        "bare CR": base + "X: a\rContent-Length: 5\r\n\r\n" + inner,
        "chunk too large": base + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\na\r\n",
        "chunk negative": base + "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n",
        "chunk extension of 1 MB": base + "Transfer-Encoding: chunked\r\n\r\n1;" + "a" * 1_000_000 + "\r\na\r\n0\r\n\r\n",
        "100,000 trailers": base + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + "X: a\r\n" * 100_000 + "\r\n",
        "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/0.9": "GET /metrics\r\n",
        "upgrade h2c": f"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    }
    outcomes = []
    for name, request in tries.items():
        status, told = raw(request.encode(), 15)
        leaked = b"finelens_requests" in told
        outcomes.append(f"{name} {status}{' AND THE SECOND WAS ANSWERED' if leaked else ''}")
    return "; ".join(outcomes)


@attack
def paths():
    """2,000 paths made of dots, slashes, escapes and control signs"""
    random.seed(3)
    parts = ["..", ".", "%2e%2e", "%2f", "%5c", "/", "//", "etc", "passwd", "%00", "api", "pictures", "original",
             "assets", "%c0%ae", "..%2f", "%252e%252e", "\\", "uploads", "CURRENT", "thumbnail", "%ff", ";", "?", "#"]
    outcomes, leaks = [], []
    for _ in range(2000):
        start = random.choice(["/", "/api/pictures/", "/assets/", "/api/uploads/"])
        path = start + "".join(random.choice(parts) + random.choice(["", "/"]) for _ in range(random.randrange(1, 8)))
        status, told = ask("GET", path)
        outcomes.append(status)
        if b"root:" in told or b"generation-" in told:
            leaks.append(path)
    return f"{counted(outcomes)}; leaked: {leaks or 'nothing'}"


@attack
def slowloris():
    """600 connections that send a byte every two seconds, for 25 s"""
    streams, stopped = [], 0
    for _ in range(600):
        try:
            stream = connect(2)
            stream.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
            streams.append(stream)
        except OSError:
            stopped += 1
    begun, waits = time.time(), []
    while time.time() - begun < 25:
        for stream in streams:
            try:
                stream.send(b"a")
            except OSError:
                pass
        since = time.time()
        status, _ = ask("GET", "/healthz", seconds=30)
        waits.append((round(time.time() - since, 2), status))
        time.sleep(2)
    alive = 0
    for stream in streams:
        try:
            stream.settimeout(0.05)
            alive += stream.recv(1) != b""
        except TimeoutError:
            alive += 1
        except OSError:
            pass
        stream.close()
    return f"{alive} of {len(streams)} still open; longest wait of others {max(waits)[0]} s, all {counted(w[1] for w in waits)}; memory {memory()} MiB"


@attack
def slow_readers():
    """60 connections that ask for 2 MB of description each and take nothing"""
    streams = []
    request = f"GET /api/openapi.json HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n".encode() * 60
    for _ in range(60):
        stream = connect(5)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            stream.settimeout(0.5)
            stream.sendall(request)
        except OSError:
            pass
        streams.append(stream)
    before = memory()
    time.sleep(45)
    told = 0
    gone = 0
    for stream in streams:
        try:
            stream.settimeout(1)
            while piece := stream.recv(1 << 20):
                told += len(piece)
            gone += 1
        except TimeoutError:
            pass
        except OSError:
            gone += 1
        stream.close()
    return f"{gone} of {len(streams)} cut off after 45 s; memory {before} then {memory()} MiB"


@attack
def pipelined():
    """20,000 requests at once on one connection"""
    request = f"GET /healthz HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n".encode()
    stream = connect(60)
    got = [b""]

    def read():
        try:
            while piece := stream.recv(1 << 16):
                got[0] += piece
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    stream.sendall(request * 19_999 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    reader.join(60)
    return f"{got[0].count(b'HTTP/1.1 200')} answered; memory {memory()} MiB"


@attack
def announced():
    """60 uploads that announce 60 MB each and send 1 MB of it"""
    reset_peak()
    streams, outcomes = [], []
    head = (f"POST /api/search HTTP/1.1\r\nHost: {ADDRESS}\r\n{MARKED}Content-Type: multipart/form-data; boundary=edge\r\n"
            "Content-Length: 60000000\r\n\r\n").encode()
    for _ in range(60):
        stream = connect(3)
        try:
            stream.sendall(head + form(b"a" * 1_000_000)[:-12])
        except OSError:
            pass
        streams.append(stream)
    for stream in streams:
        try:
            told = stream.recv(1000)
            outcomes.append(told[9:12].decode() if told else "closed")
        except TimeoutError:
            outcomes.append("held")
        except OSError:
            outcomes.append("closed")
    since = time.time()
    meanwhile = ask("GET", "/healthz")[0]
    took = time.time() - since
    for stream in streams:
        stream.close()
    return f"{counted(outcomes)}; others meanwhile {meanwhile} in {took:.2f} s; peak memory {memory()[1]} MiB"


def png(width, height, rows=None, depth=8, colour=2, extra=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", rows or b"") + chunk(b"IEND", b"")


def zeros(count):
    packer, packed = zlib.compressobj(9), []
    piece = bytes(1 << 20)
    for _ in range(count >> 20):
        packed.append(packer.compress(piece))
    packed.append(packer.compress(bytes(count & ((1 << 20) - 1))))
    packed.append(packer.flush())
    return b"".join(packed)


def jpeg(width, height, **more):
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(out, "JPEG", **more)
    return out.getvalue()


def lying_jpeg(width, height):
    data = jpeg(32, 32)
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def many_scans(width, height, scans):
    """A progressive JPEG whose last scan comes again and again."""
    data = jpeg(width, height, progressive=True)
    end = data.rindex(b"\xff\xda")
    return data[:-2] + data[end:-2] * scans + b"\xff\xd9"


def noisy(width, height, kind, **more):
    from PIL import Image
    import numpy

    pixels = numpy.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=numpy.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **more)
    return out.getvalue()


def pictures():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    yield "PNG 50,000 x 50,000 of 1 bit, 300 kB", png(50_000, 50_000, zeros(50_000 * 6251), 1, 0)
    yield "PNG 8,000 x 8,000 of 16-bit RGBA, 500 kB", png(8000, 8000, zeros(8000 * (8000 * 8 + 1)), 16, 6)
    yield "PNG whose data are 1 GB for 10 x 10 pixels", png(10, 10, zeros(1 << 30))
    yield "PNG with an iCCP of 1 GB", png(10, 10, zeros(310), extra=chunk(b"iCCP", b"a\0\0" + zeros(1 << 30)))
    yield "PNG with a zTXt of 1 GB", png(10, 10, zeros(310), extra=chunk(b"zTXt", b"a\0\0" + zeros(1 << 30)))
    yield "PNG 0 x 0", png(0, 0)
    yield "PNG 2^31 x 1", png(2**31 - 1, 1, zeros(100))
    yield "JPEG that claims 65,535 x 65,535", lying_jpeg(65535, 65535)
    yield "JPEG that claims 8,000 x 8,000", lying_jpeg(8000, 8000)
    yield "JPEG cut in half", noisy(500, 500, "JPEG")[:40_000]
    yield "JPEG 8,000 x 8,000 with 480 scans", many_scans(8000, 8000, 470)
    yield "JPEG 8,000 x 8,000 with 5,000 scans", many_scans(8000, 8000, 5000)
    yield "JPEG with 100,000 frame headers", (lambda d: d[:2] + d[d.index(b"\xff\xc0"):][:19] * 100_000 + d[2:])(lying_jpeg(8000, 8000))
    yield "GIF that claims 65,535 x 65,535", b"GIF89a" + b"\xff" * 4 + b"\x80\0\0" + bytes(6) + b",\0\0\0\0" + b"\xff" * 4 + b"\0\x02\x02\x4c\x01\0;"
    yield "WebP that claims 16,383 x 16,383", (lambda d: d[:26] + b"\xff\x3f\xff\x3f" + d[30:])(noisy(32, 32, "WEBP"))
    yield "WebP without loss, cut", noisy(300, 300, "WEBP", lossless=True)[:100_000]
    yield "TIFF that claims 65,535 x 65,535", (lambda d: d.replace(struct.pack("<HHII", 256, 4, 1, 33), struct.pack("<HHII", 256, 4, 1, 65535)).replace(struct.pack("<HHII", 257, 4, 1, 33), struct.pack("<HHII", 257, 4, 1, 65535)))(noisy(33, 33, "TIFF"))
    yield "BMP that claims 2^28 x 2^28", (lambda d: d[:18] + struct.pack("<ii", 2**28, -(2**28)) + d[26:])(noisy(32, 32, "BMP"))
    yield "SVG with a script", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    yield "HTML", b"<html><script>alert(1)</script></html>"
    yield "PDF", b"%PDF-1.7\n1 0 obj\n"
    yield "ZIP", b"PK\x03\x04" + bytes(100)
    yield "nothing", b""
    yield "GIF that is a script, too", b"GIF89a=1;alert(1);//" + bytes(100)
    yield "JPEG with a ZIP behind it", jpeg(32, 32) + b"PK\x03\x04" + bytes(100)
    random.seed(4)
    for kind in ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"]:
        whole = noisy(48, 48, kind)
        yield f"100 {kind} with bytes exchanged", [mutated(whole) for _ in range(100)]


def mutated(data):
    data = bytearray(data)
    for _ in range(random.randrange(1, 10)):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


@attack
def bombs():
    """pictures that are not what they seem, sent as uploads"""
    lines = []
    for name, picture in pictures():
        reset_peak()
        begun = time.time()
        many = picture if isinstance(picture, list) else [picture]
        outcomes = []
        for one in many:
            status, told = upload(one)
            outcomes.append(f"{status} {code(told)}")
        lines.append(f"    {name}: {counted(outcomes)}; {time.time() - begun:.2f} s, peak {memory()[1]} MiB")
    status, told = upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>", kind="image/svg+xml")
    lines.append(f"    SVG that says so: {status} {code(told)}")
    return "\n" + "\n".join(lines)


@attack
def bombs_together():
    """40 PNGs of 8,000 x 8,000 in 16-bit RGBA at once"""
    bomb = png(8000, 8000, zeros(8000 * (8000 * 8 + 1)), 16, 6)
    reset_peak()
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(upload(bomb, seconds=120)[0])) for _ in range(40)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    since = time.time()
    meanwhile = ask("GET", "/healthz")[0]
    took = time.time() - since
    for thread in threads:
        thread.join()
    return f"{counted(outcomes)}; others meanwhile {meanwhile} in {took:.2f} s; peak memory {memory()[1]} MiB"


@attack
def many_parts():
    """forms with 10,000 fields, 100 pictures, an endless boundary, no end"""
    headers = MARKED + "Content-Type: multipart/form-data; boundary=edge\r\n"
    part = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    outcomes = []
    small = jpeg(8, 8)
    bodies = {
        "10,000 fields": part * 10_000 + b"--edge--\r\n",
        "100 pictures": form(small)[:-8] * 100 + b"--edge--\r\n",
        "no end": part,
        "no boundary": b"abc",
        "header of 1 MB": b'--edge\r\nContent-Disposition: form-data; name="' + b"a" * 1_000_000 + b'"\r\n\r\nb\r\n--edge--\r\n',
        "1,000,000 newlines": b"\r\n" * 1_000_000,
    }
    for name, body in bodies.items():
        status, told = ask("POST", "/api/search", headers, body)
        outcomes.append(f"{name} {status} {code(told)}")
    status, told = ask("POST", "/api/search", MARKED + f"Content-Type: multipart/form-data; boundary={'e' * 5000}\r\n", b"abc")
    outcomes.append(f"boundary of 5,000 {status} {code(told)}")
    return "; ".join(outcomes)


@attack
def cookies():
    """cookies by the thousand"""
    many = "Cookie: " + "; ".join(f"finelens-{PORT}={number:064x}" for number in range(700)) + "\r\n"
    lines = "".join(f"Cookie: finelens-{PORT}={number}\r\n" for number in range(50))
    return counted([ask("GET", "/api/session", many)[0], ask("GET", "/api/session", lines)[0]])


@attack
def connections():
    """2,000 connections opened and dropped in the middle of a request"""
    head = f"POST /api/search HTTP/1.1\r\nHost: {ADDRESS}\r\n{MARKED}Content-Length: 50000\r\n\r\nabc".encode()
    for number in range(2000):
        stream = connect(5)
        stream.sendall(head[: 1 + number % len(head)])
        stream.close()
    time.sleep(1)
    return f"then {ask('GET', '/healthz')[0]}; memory {memory()} MiB"


for function in ATTACKS:
    if CHOSEN and function.__name__ not in CHOSEN:
        continue
    begun = time.time()
    try:
        outcome = function()
    except Exception as error:  # an attack that breaks off is an outcome, too
        outcome = f"broke off: {error!r}"
    print(f"{function.__name__} ({function.__doc__}): {outcome} [{time.time() - begun:.0f} s]", flush=True)
print("still there:", ask("GET", "/healthz")[0], "memory (MiB, now and peak):", memory())
