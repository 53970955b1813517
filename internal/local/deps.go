package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"kreislauf/internal/backend/redisd"
	"kreislauf/nginx"
)

// Needs says what Deps brings in beside nginx and redis-server.
type Needs struct {
	Geo      bool // geo data; their absence is no error
	Chromium bool // for the browser tests
	Real     bool // Java and Maven, and the jars of the real Kafka and OpenSearch
}

// Deps installs the programs that the platform needs and fetches the optional geo data.
func Deps(ctx context.Context, cache string, needs Needs) error {
	var missing []string
	if nginx.Find(programFolder(cache)) == "" {
		missing = append(missing, "nginx")
	}
	if redisd.Find(programFolder(cache)) == "" {
		missing = append(missing, "redis-server")
	}
	if needs.Chromium && findChromium() == "" {
		missing = append(missing, "chromium")
	}
	if len(missing) > 0 {
		if err := install(ctx, missing, cache); err != nil {
			return err
		}
	}
	if needs.Real {
		if err := installReal(ctx, cache); err != nil {
			return err
		}
	}
	if !needs.Geo {
		return nil
	}
	if err := fetchGeo(ctx, filepath.Join(cache, "geo")); err != nil {
		fmt.Printf("geo data: not available, access lines will have no location: %v\n", err)
	}
	return nil
}

// programFolder is where unpacked programs are started from.
func programFolder(cache string) string { return filepath.Join(cache, "bin") }

func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// packageNames are what package managers call the programs whose name differs there.
func packageNames(manager string, programs []string) string {
	names := map[string]map[string]string{
		"apt-get": {"java": "default-jre-headless"},
		"brew":    {"redis-server": "redis", "java": "openjdk"},
		"dnf":     {"redis-server": "redis", "java": "java-21-openjdk-headless"},
		"pacman":  {"redis-server": "redis", "java": "jre-openjdk-headless"},
		"apk":     {"redis-server": "redis", "java": "openjdk21-jre-headless"},
	}[manager]
	list := make([]string, len(programs))
	for i, p := range programs {
		list[i] = cmp.Or(names[p], p)
	}
	return strings.Join(list, " ")
}

// installCommand is what a person would type.
func installCommand(programs []string) string {
	switch {
	case runtime.GOOS == "darwin":
		return "brew install " + packageNames("brew", programs)
	case have("dnf"):
		return "sudo dnf install " + packageNames("dnf", programs)
	case have("pacman"):
		return "sudo pacman -S " + packageNames("pacman", programs)
	case have("apk"):
		return "sudo apk add " + packageNames("apk", programs)
	}
	return "sudo apt-get install " + packageNames("apt-get", programs)
}

func have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// install brings programs in: by apt as root or with sudo, else, what can be, unpacked into the cache folder.
func install(ctx context.Context, programs []string, cache string) error {
	what := strings.Join(programs, ", ")
	if !have("apt-get") {
		return fmt.Errorf("%s missing; install with: %s", what, installCommand(programs))
	}
	// The packages would start system services on their usual ports; policy-rc.d says no for the time of the installation.
	script := `set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; trap 'rm -f $policy' EXIT; fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends ` + packageNames("apt-get", programs)
	switch {
	case os.Geteuid() == 0:
		return step(ctx, "install "+what+" with apt", exec.CommandContext(ctx, "sh", "-c", script))
	case have("sudo") && exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil:
		return step(ctx, "install "+what+" with sudo apt", exec.CommandContext(ctx, "sudo", "-n", "sh", "-c", script))
	}
	for _, p := range programs {
		if p != "nginx" && p != "redis-server" {
			return fmt.Errorf("%s missing, and installing needs rights: %s", what, installCommand(programs))
		}
	}
	return unpack(ctx, cache)
}

// unpacked lists the Debian packages whose files nginx and redis-server need.
const unpacked = "nginx nginx-common libpcre2-8-0 libssl3 zlib1g libcrypt1 redis-server redis-tools libjemalloc2 liblua5.1-0 liblzf1 lua-bitop lua-cjson libhiredis0.14 libsystemd0"

// unpack gets nginx and redis-server without any rights: packages are downloaded and unpacked into the cache folder, and started
// through two small scripts that tell the loader where their libraries are.
func unpack(ctx context.Context, cache string) error {
	script := `set -e
root="$CACHE/root" apt="$CACHE/apt" bin="$CACHE/bin"
mkdir -p "$root" "$apt/lists/partial" "$apt/archives/partial" "$apt/deb" "$bin"
o="-o Dir::State::lists=$apt/lists -o Dir::Cache=$apt -o Debug::NoLocking=1 -o APT::Sandbox::User="
apt-get $o update -q
cd "$apt/deb"
for p in ` + unpacked + `; do apt-get $o download -q $p; done
for d in *.deb; do dpkg -x "$d" "$root"; done
libs="$(dirname "$(find "$root" -name 'libjemalloc.so*' | head -n 1)")"
for p in usr/sbin/nginx usr/bin/redis-server; do
  printf '#!/bin/sh\nexport LD_LIBRARY_PATH="%s"\nexec "%s" "$@"\n' "$libs" "$root/$p" > "$bin/$(basename $p)"
  chmod 755 "$bin/$(basename $p)"
done
rm -rf "$apt"`
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Env = append(os.Environ(), "CACHE="+cache)
	if err := step(ctx, "unpack nginx and redis-server into "+cache, cmd); err != nil {
		return fmt.Errorf("%w; with rights it is: %s", err, installCommand([]string{"nginx", "redis-server"}))
	}
	return nil
}

// step runs a command, tells that it runs and how long, and shows its output only when it fails.
func step(ctx context.Context, what string, cmd *exec.Cmd) error {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err := timed(what, cmd.Run)
	if err != nil {
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%s: %w", what, ctx.Err()))
		}
		return fmt.Errorf("%s: %w\n%s", what, err, strings.TrimSpace(out.String()))
	}
	return nil
}

// timed does something, tells that it runs, and how long.
func timed(what string, do func() error) error {
	began := time.Now()
	fmt.Printf("%s …\n", what)
	done := make(chan struct{}) // closed when the command has ended
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				fmt.Printf("  … %.0f s\n", time.Since(began).Seconds())
			}
		}
	}()
	err := do()
	close(done)
	if err == nil {
		fmt.Printf("  done in %.1f s\n", time.Since(began).Seconds())
	}
	return err
}
