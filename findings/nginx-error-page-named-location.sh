#!/usr/bin/env bash
# nginx 1.22.1: behind a jump to a named location by error_page, the server's error_page for another status is no longer applied.
#
# Guessed: "error_page 418 = @named; return 418;" is a known way to choose a location by an if. The named location then works like any
#          other, so a time-out there is answered with the server's page for 504.
# Seen:    the client gets nginx's own HTML page: the jump was already the one error page that a request may have. An error_page 504 in
#          the named location does not help, nor does recursive_error_pages there; set where the jump starts, it does. Reached by
#          try_files, the same named location answers with the server's page.
# Matters: an API whose errors are all JSON answers HTML for just those requests that are routed by such a jump, and only when a backend
#          hangs. A test of the server's error page at an ordinary location says nothing about them.
#
# Versions: nginx 1.22.1 (Debian 12), python3 for a backend that never answers.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${nginx_pid:-}" "${backend:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

apt-get -qq download 'nginx=1.22.1-*' 2>/dev/null
for deb in ./*.deb; do dpkg -x "$deb" root; done
nginx="$work/root/usr/sbin/nginx"

cat >backend.py <<'EOF'
import socket

s = socket.socket(socket.AF_UNIX)
s.bind("backend.sock")
s.listen(64)
open_connections = []
while True:
    open_connections.append(s.accept())
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
  upstream backend { server unix:backend.sock; }
  server {
    listen unix:front.sock;
    proxy_read_timeout 300ms;
    error_page 504 /504.json;
    location = /504.json { internal; default_type application/json; return 504 '{"status":504}'; }

    location = /direct { proxy_pass http://backend; }
    location = /try-files { try_files /none @named; }
    location = /jump { error_page 418 = @named; return 418; }
    location = /jump-own-page { error_page 418 = @own-page; return 418; }
    location = /jump-recursive-behind { error_page 418 = @recursive; return 418; }
    location = /jump-recursive-before { recursive_error_pages on; error_page 418 = @named; return 418; }

    location @named { proxy_pass http://backend; }
    location @own-page { error_page 504 /504.json; proxy_pass http://backend; }
    location @recursive { recursive_error_pages on; proxy_pass http://backend; }
  }
}
EOF
sed -i "s|unix:|unix:$work/|" nginx.conf
python3 backend.py &
backend=$!
"$nginx" -p "$work/" -c nginx.conf -e error.log 2>/dev/null &
nginx_pid=$!
for _ in $(seq 300); do [ -S front.sock ] && [ -S backend.sock ] && break; sleep 0.1; done
seen=$(for path in direct try-files jump jump-own-page jump-recursive-behind jump-recursive-before; do
	body=$(curl -sS --max-time 60 --unix-socket front.sock -d order "http://front/$path")
	case $body in
	'{"status":504}') echo "$path: the server's JSON" ;;
	*'<title>504 Gateway Time-out</title>'*) echo "$path: nginx's HTML" ;;
	*) echo "$path: $body" ;;
	esac
done)

expected='direct: the server'\''s JSON
try-files: the server'\''s JSON
jump: nginx'\''s HTML
jump-own-page: nginx'\''s HTML
jump-recursive-behind: nginx'\''s HTML
jump-recursive-before: the server'\''s JSON'
echo "version: $("$nginx" -v 2>&1)"
echo "guessed: the server's JSON everywhere"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
