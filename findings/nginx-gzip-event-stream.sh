#!/usr/bin/env bash
# nginx 1.22.1: compressing server-sent events holds them back until the stream ends, though without compression they pass at once.
#
# Guessed: nginx passes on what the backend has sent so far; a stream that arrives event by event with the default buffering does so with
#          text/event-stream in gzip_types too, only smaller.
# Seen:    for a client that accepts gzip nothing comes, not even the head, until the backend ends the response (or the compressor's
#          buffer is full). With proxy_buffering off the events pass compressed and at once.
# Matters: curl, which asks for no compression, sees a working stream; every browser sees none. One line in the http block
#          ("compress all text types") breaks it in another file.
#
# Versions: nginx 1.22.1 (Debian 12), python3 for the backend and the client. No time is measured: the backend keeps the stream open until
#          the client says that it has the first event, or for five seconds.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${nginx_pid:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

apt-get -qq download 'nginx=1.22.1-*' 2>/dev/null
for deb in ./*.deb; do dpkg -x "$deb" root; done
nginx="$work/root/usr/sbin/nginx"

cat >nginx.conf <<'EOF'
daemon off;
user root;
pid nginx.pid;
error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  gzip on;
  gzip_types text/event-stream;
  gzip_min_length 0;
  upstream backend { server unix:backend.sock; }
  server {
    listen unix:front.sock;
    proxy_http_version 1.1;
    location = /buffered { proxy_pass http://backend; }
    location = /unbuffered { proxy_buffering off; proxy_pass http://backend; }
  }
}
EOF
sed -i "s|unix:|unix:$work/|" nginx.conf
cat >probe.py <<'EOF'
import http.client, http.server, os, socket, socketserver, threading, time, zlib

arrived = threading.Event()  # the client has the first event
ended = threading.Event()  # the backend has ended the stream


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        event = b"data: first\n\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()
        arrived.wait(5)
        ended.set()
        self.wfile.write(b"0\r\n\r\n")


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


threading.Thread(target=Server("backend.sock", Backend).serve_forever, daemon=True).start()
for _ in range(300):
    if os.path.exists("front.sock"):
        break
    time.sleep(0.1)
for path, encoding in (("buffered", "identity"), ("buffered", "gzip"), ("unbuffered", "gzip")):
    arrived.clear()
    ended.clear()
    front = http.client.HTTPConnection("front", timeout=60)
    front.sock = socket.socket(socket.AF_UNIX)
    front.sock.settimeout(60)
    front.sock.connect("front.sock")
    front.request("GET", "/" + path, headers={"Accept-Encoding": encoding})
    answer = front.getresponse()
    if answer.getheader("Content-Encoding", "identity") != encoding:
        raise SystemExit(f"asked for {encoding}, got {answer.headers}")
    unpack = zlib.decompressobj(31).decompress if encoding == "gzip" else bytes
    text = b""
    while b"data: first" not in text:
        part = answer.read1(65536)
        if not part:
            raise SystemExit("the stream ended without the event")
        text += unpack(part)
    print(f"{path}, {encoding}:", "after the end of the stream" if ended.is_set() else "while the stream is open")
    arrived.set()
    front.close()
EOF
"$nginx" -p "$work/" -c nginx.conf -e error.log 2>/dev/null &
nginx_pid=$!
seen=$(python3 probe.py)

expected='buffered, identity: while the stream is open
buffered, gzip: after the end of the stream
unbuffered, gzip: while the stream is open'
echo "version: $("$nginx" -v 2>&1)"
echo "guessed: the first event arrives while the stream is open in all three cases"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
