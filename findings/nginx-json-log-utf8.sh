#!/usr/bin/env bash
# nginx 1.22.1: a log_format with escape=json writes lines that are no JSON.
#
# Guessed: escape=json escapes what JSON does not allow in a string, so every line of the log can be read by a JSON parser.
# Seen:    quotes, backslashes and control characters are escaped, bytes above 0x7f are passed on as they came. A header in Latin-1,
#          which HTTP allows (obs-text), gives a line that is no UTF-8, and JSON is UTF-8 by definition. A strict parser (here Python's)
#          refuses the line. Umlauts in UTF-8 are fine.
# Matters: a log shipper that was tested with quotes and umlauts in UTF-8 loses its first line from an old client.
#
# Versions: nginx 1.22.1 (Debian 12), python3 and curl.
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
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  log_format json escape=json '{"agent":"$http_user_agent"}';
  access_log access.log json;
  server {
    listen unix:front.sock;
    return 204;
  }
}
EOF
sed -i "s|unix:|unix:$work/|" nginx.conf
"$nginx" -p "$work/" -c nginx.conf -e error.log 2>/dev/null &
nginx_pid=$!
for _ in $(seq 300); do [ -S front.sock ] && break; sleep 0.1; done
for agent in 'a "quote" and a \' $'M\xc3\xbcller' $'M\xfcller'; do
	curl -sS --max-time 60 --unix-socket front.sock -A "$agent" http://front/
done
for _ in $(seq 300); do [ "$(wc -l <access.log)" -ge 3 ] && break; sleep 0.1; done
seen=$(PYTHONIOENCODING=utf-8 python3 - <<'EOF'
import json

for line in open("access.log", "rb"):
    try:
        print("read:", json.loads(line)["agent"])
    except UnicodeDecodeError:
        print("not JSON:", line.rstrip())
EOF
)

expected='read: a "quote" and a \
read: Müller
not JSON: b'\''{"agent":"M\xfcller"}'\'
echo "version: $("$nginx" -v 2>&1)"
echo "guessed: all three lines are JSON"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
