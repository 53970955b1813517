package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kreislauf/internal/backend/redisd"
	"kreislauf/internal/local/supervise"
	"kreislauf/nginx"
)

// finding is one answer of the doctor. Mend is empty when all is well.
type finding struct {
	what, state, mend string
	fatal             bool
}

// Doctor looks at everything that a platform with these options needs, and at the running one if there is one. It changes nothing. It
// prints what it found on out; the error says that something keeps the platform from running.
func Doctor(ctx context.Context, o Options, out io.Writer) error {
	if err := o.complete(); err != nil {
		return err
	}
	var list []finding
	list = append(list, programs(ctx, o)...)
	list = append(list, folders(o)...)
	run, err := FindRunning(o.Data)
	if err == nil && alive(run.PID) {
		list = append(list, health(ctx, run)...)
	} else {
		list = append(list, portsFree(o)...)
	}
	bad := 0
	for _, f := range list {
		mark := "ok     "
		switch {
		case f.fatal:
			mark = "MISSING"
			bad++
		case f.mend != "":
			mark = "note   "
		}
		fmt.Fprintf(out, "%s %-24s %s\n", mark, f.what, f.state)
		if f.mend != "" {
			fmt.Fprintf(out, "        mend: %s\n", f.mend)
		}
	}
	if bad > 0 {
		return errors.New(keeps(bad))
	}
	fmt.Fprintln(out, "nothing is in the way")
	return nil
}

func keeps(things int) string {
	if things == 1 {
		return "1 thing keeps the platform from running"
	}
	return fmt.Sprintf("%d things keep the platform from running", things)
}

func programs(ctx context.Context, o Options) []finding {
	var list []finding
	version := func(bin string, args ...string) string {
		out, err := exec.CommandContext(ctx, bin, args...).CombinedOutput()
		if err != nil {
			return bin + " does not start: " + err.Error()
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return bin + ": " + first
	}
	if bin := nginx.Find(programFolder(o.Cache)); bin != "" {
		list = append(list, finding{what: "nginx", state: version(bin, "-v")})
	} else {
		list = append(list, finding{"nginx", "not found", "make deps, or " + installCommand([]string{"nginx"}), true})
	}
	if bin := redisd.Find(programFolder(o.Cache)); bin != "" && redisd.Check(ctx, bin) != nil {
		list = append(list, finding{"redis-server", redisd.Check(ctx, bin).Error() + "; miniredis would be used", installCommand([]string{"redis-server"}), false})
	} else if bin != "" {
		list = append(list, finding{what: "redis-server", state: version(bin, "--version")})
	} else {
		list = append(list, finding{"redis-server", "not found; miniredis would be used", "make deps, or " + installCommand([]string{"redis-server"}), false})
	}
	if _, err := os.Stat(filepath.Join(o.Web, "index.html")); err == nil {
		list = append(list, finding{what: "web app", state: o.Web})
	} else {
		list = append(list, finding{"web app", "not built in " + o.Web, "make web (needs Node 20 or newer with npm)", true})
	}
	switch {
	case cityData.isIn(o.Geo):
		list = append(list, finding{what: "geo data", state: o.Geo})
	case countryData.isIn(o.Geo):
		list = append(list, finding{what: "geo data", state: o.Geo + ", countries only"})
	default:
		list = append(list, finding{"geo data", "none in " + o.Geo + "; access lines will have no location", "make deps", false})
	}
	return append(list, realPrograms(ctx, o)...)
}

func folders(o Options) []finding {
	list := []finding{{what: "data folder", state: o.Data}}
	there, err := nearest(o.Data)
	switch {
	case err == nil && unix.Access(there, unix.W_OK|unix.X_OK) != nil:
		list[0] = finding{"data folder", there + " may not be written to", "choose a folder you may write to with -data", true}
	case err != nil:
		list[0] = finding{"data folder", err.Error(), "choose another folder with -data", true}
	case there != o.Data:
		list[0].state += ", which the first start makes"
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(there, &st); err == nil {
		free := st.Bavail * uint64(st.Bsize) >> 20
		f := finding{what: "free disk space", state: fmt.Sprintf("%d MB", free)}
		if free < 1024 {
			f.mend = "free at least 1 GB, or choose another folder with -data"
		}
		list = append(list, f)
	}
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err == nil {
		f := finding{what: "open files", state: fmt.Sprintf("limit %d", lim.Cur)}
		if lim.Cur < 4096 {
			f.mend = "ulimit -n 8192"
		}
		list = append(list, f)
	}
	return list
}

// nearest is the folder itself, or the nearest one above it that is there.
func nearest(folder string) (string, error) {
	for {
		info, err := os.Stat(folder)
		switch {
		case err == nil && info.IsDir():
			return folder, nil
		case err == nil:
			return folder, fmt.Errorf("%s is no folder", folder)
		case !errors.Is(err, os.ErrNotExist) || folder == filepath.Dir(folder):
			return folder, err
		}
		folder = filepath.Dir(folder)
	}
}

// portsFree checks every address that up would listen on.
func portsFree(o Options) []finding {
	var list []finding
	check := func(what, addr, flagName string) {
		if err := checkFree(addr, flagName); err != nil {
			list = append(list, finding{what, err.Error(), "-" + flagName, true})
			return
		}
		list = append(list, finding{what: what, state: addr + " is free"})
	}
	if o.FreePorts {
		return nil
	}
	check("port of nginx", o.NginxAddr, "nginx-addr")
	check("port of Redis", o.RedisAddr, "redis-addr")
	check("port of MongoDB", o.MongoDBAddr, "mongodb-addr")
	check("port of Kafka", o.KafkaAddr, "kafka-addr")
	check("port of Elasticsearch", o.ElasticAddr, "elasticsearch-addr")
	check("port of the mailbox", o.MailboxAddr, "mailbox-addr")
	n := portCount(o.Compact)
	for i := range n {
		addr := net.JoinHostPort("127.0.0.1", fmt.Sprint(o.PortBase+i))
		if err := checkFree(addr, "service-port-base"); err != nil {
			list = append(list, finding{"ports of services", err.Error(), "-service-port-base", true})
			return list
		}
	}
	return append(list, finding{what: "ports of services", state: fmt.Sprintf("%d to %d are free", o.PortBase, o.PortBase+n-1)})
}

// health looks at a running platform.
func health(ctx context.Context, r Running) []finding {
	list := []finding{{what: "platform", state: fmt.Sprintf("%s runs since %s, pid %d, %s", r.Version, r.Started.Format(time.DateTime), r.PID, r.Entry)}, {what: "profile", state: profileSentence(r.Profile)}}
	for _, c := range r.Components {
		f := finding{what: c.Name, state: fmt.Sprintf("%s, pid %d, %s", c.State, c.PID, restarts(c.Restarts))}
		if c.State != supervise.Ready {
			f.mend, f.fatal = "look at its output in console/"+c.Name+".txt of the data folder; last end: "+c.LastExit, true
		}
		list = append(list, f)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := supervise.HTTPReady(r.Entry + "/healthz")(ctx); err != nil {
		list = append(list, finding{"entry", err.Error(), "see the error-<version>.log of nginx in the log tree", true})
	}
	return list
}

func restarts(n int) string {
	if n == 1 {
		return "1 restart"
	}
	return fmt.Sprintf("%d restarts", n)
}

// alive says whether a process exists.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
