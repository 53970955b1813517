#!/usr/bin/env bash
# nginx 1.22.1: with http_503 in proxy_next_upstream, one URL that honestly answers 503 makes all other URLs fail with 502.
#
# Guessed: proxy_next_upstream http_503 means "ask another server when one answers 503"; if all say 503, the client gets the 503,
#          and what the servers answer to other URLs does not change.
# Seen:    each such answer also counts as a failure of its server, and one failure (the default of max_fails) takes it out for ten
#          seconds. The second request for that URL gets 502 in place of the backend's own 503, and after it no server is left: a
#          healthy URL gets 502 too ("no live upstreams"), without either backend being asked.
# Matters: the option looks like one for more availability; a "not now" of one endpoint (a full queue, one feature under maintenance)
#          becomes an outage of all that the servers offer. The manual says that the option also defines what a failed attempt is; what
#          that means for other URLs one has to put together from there and from max_fails.
#
# Versions: nginx 1.22.1 (Debian 12), python3 for two backends that are always well, curl.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${nginx_pid:-}" "${backends:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

apt-get -qq download 'nginx=1.22.1-*' 2>/dev/null
for deb in ./*.deb; do dpkg -x "$deb" root; done
nginx="$work/root/usr/sbin/nginx"

cat >backends.py <<'EOF'
import http.server, socketserver, threading


class Backend(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


one, two = Server("one.sock", Backend), Server("two.sock", Backend)
threading.Thread(target=one.serve_forever, daemon=True).start()
two.serve_forever()
EOF
cat >nginx.conf <<'EOF'
daemon off;
user root;
pid nginx.pid;
error_log error.log;
events {}
http {
  access_log off;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  upstream plain { server unix:one.sock; server unix:two.sock; }
  upstream repeats { server unix:one.sock; server unix:two.sock; }
  server { listen unix:plain.sock; location / { proxy_pass http://plain; } }
  server { listen unix:repeats.sock; location / { proxy_next_upstream error timeout http_503; proxy_pass http://repeats; } }
}
EOF
sed -i "s|unix:|unix:$work/|g" nginx.conf
python3 backends.py &
backends=$!
for _ in $(seq 300); do [ -S one.sock ] && [ -S two.sock ] && break; sleep 0.1; done
"$nginx" -p "$work/" -c nginx.conf -e error.log 2>/dev/null &
nginx_pid=$!
for _ in $(seq 300); do [ -S plain.sock ] && [ -S repeats.sock ] && break; sleep 0.1; done
seen=$(for front in plain repeats; do
	line="$front:"
	for path in ok busy busy busy ok; do
		line+=" $path $(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' --unix-socket $front.sock "http://front/$path"),"
	done
	echo "${line%,}"
done)

expected='plain: ok 200, busy 503, busy 503, busy 503, ok 200
repeats: ok 200, busy 503, busy 502, busy 502, ok 502'
echo "version: $("$nginx" -v 2>&1)"
echo "guessed: both alike"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
