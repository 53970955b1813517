package real

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// MaxOpenSearchPort is the highest port that the runner takes.
const MaxOpenSearchPort = 9299

// OpenSearchHeap bounds the heap of OpenSearch.
const OpenSearchHeap = "512m"

// OpenSearch is one node.
type OpenSearch struct {
	Java Java
	Lib  string // folder of OpenSearchJars
	Dir  string // data folder, created if missing
	Addr string // host:port, port 1024 to MaxOpenSearchPort
}

// Command writes the configuration and returns the command that serves until SIGTERM.
func (o OpenSearch) Command() ([]string, error) {
	host, portText, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, fmt.Errorf("opensearch address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 1024 || port > MaxOpenSearchPort {
		return nil, fmt.Errorf("opensearch address %s: use a port from 1024 to %d", o.Addr, MaxOpenSearchPort)
	}
	conf := filepath.Join(o.Dir, "config")
	if err := os.MkdirAll(conf, 0o750); err != nil {
		return nil, fmt.Errorf("create OpenSearch data folder: %w", err)
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(conf, "opensearch.yml"), fmt.Appendf(nil, opensearchYML, host), 0o640),
		os.WriteFile(filepath.Join(conf, "log4j2.properties"), []byte(log4j), 0o640),
	); err != nil {
		return nil, fmt.Errorf("write OpenSearch configuration: %w", err)
	}
	return append(o.Java.command(OpenSearchHeap, o.Lib, "org.codelibs.opensearch.runner.OpenSearchRunner"),
		"-basePath", o.Dir, "-confPath", conf, "-dataPath", filepath.Join(o.Dir, "data"), "-logsPath", filepath.Join(o.Dir, "logs"),
		"-clusterName", "kreislauf", "-numOfNode", "1", "-baseHttpPort", strconv.Itoa(port-1)), nil // node 1 serves on the base port plus 1
}

// opensearchYML bounds the disk by what is left, not by a share of it: a developer's disk is often 90 % full.
const opensearchYML = `network.host: %s
transport.port: 0
cluster.routing.allocation.disk.watermark.low: 600mb
cluster.routing.allocation.disk.watermark.high: 500mb
cluster.routing.allocation.disk.watermark.flood_stage: 400mb
`
