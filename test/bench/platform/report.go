package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// quiet is how many cores other work may use without a warning.
const quiet = 0.1

// host says on what was measured.
type host struct {
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
	Load   string `json:"load_average"` // before the measurement: of 1, 5 and 15 minutes
}

func describeHost() host {
	h := host{CPUs: runtime.NumCPU()}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		h.Kernel = strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		h.Load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	return h
}

// report is everything that was measured.
type report struct {
	Began  time.Time `json:"began"`
	Host   host      `json:"host"`
	Args   []string  `json:"args"`
	Builds []build   `json:"builds"` // the base first, if there is one
}

// figure is one measure over all rounds of all builds.
type figure struct {
	measure
	values [][]float64 // by build
}

// figures gathers the measures of the same name, in the order of their first appearance within their scenario.
func (r report) figures() []figure {
	type id struct{ scenario, name string }
	var scenarios []string
	byScenario := map[string][]*figure{}
	known := map[id]*figure{}
	for i, b := range r.Builds {
		for _, round := range b.Rounds {
			for _, m := range round {
				f := known[id{m.Scenario, m.Name}]
				if f == nil {
					f = &figure{measure: m, values: make([][]float64, len(r.Builds))}
					known[id{m.Scenario, m.Name}] = f
					if byScenario[m.Scenario] == nil {
						scenarios = append(scenarios, m.Scenario)
					}
					byScenario[m.Scenario] = append(byScenario[m.Scenario], f)
				}
				f.values[i] = append(f.values[i], m.Value)
			}
		}
	}
	var list []figure
	for _, s := range scenarios {
		for _, f := range byScenario[s] {
			list = append(list, *f)
		}
	}
	return list
}

// WriteText writes the table for people: the median of the rounds of each build, and with two builds the second divided by the first.
func (r report) WriteText(w io.Writer) error {
	var b strings.Builder
	began := r.Began.UTC().Format("2006-01-02 15:04 MST")
	fmt.Fprintf(&b, "%s, %d CPUs, Linux %s, load average before %s\n", began, r.Host.CPUs, r.Host.Kernel, r.Host.Load)
	scenario := ""
	for _, f := range r.figures() {
		if f.Scenario != scenario {
			scenario = f.Scenario
			r.head(&b, scenario)
		}
		fmt.Fprintf(&b, "  %-40s %-5s", f.Name, f.Unit)
		for _, v := range f.values {
			fmt.Fprintf(&b, " %11s", number(median(v)))
		}
		if len(r.Builds) == 2 {
			fmt.Fprintf(&b, " %7s  %s", ratio(median(f.values[1]), median(f.values[0])), spread(f.values))
		}
		b.WriteByte('\n')
	}
	if other := r.otherCPU(); other > quiet {
		fmt.Fprintf(&b, "\nThe machine was not quiet: other work used up to %.1f cores. Latencies say little then; CPU, disk and memory say more.\n", other)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// otherCPU is the most that other work used during a scenario, in cores.
func (r report) otherCPU() float64 {
	most := 0.0
	for _, f := range r.figures() {
		for _, v := range f.values {
			if f.Name == otherCPU && len(v) > 0 {
				most = max(most, slices.Max(v))
			}
		}
	}
	return most
}

func (r report) head(b *strings.Builder, scenario string) {
	fmt.Fprintf(b, "\n%-48s", scenario)
	for _, build := range r.Builds {
		fmt.Fprintf(b, " %11s", build.Name)
	}
	if len(r.Builds) == 2 {
		fmt.Fprintf(b, " %7s  %s", "ratio", "rounds differ by")
	}
	b.WriteByte('\n')
}

func trimLines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

// number shows three digits, or all before the point.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func ratio(now, before float64) string {
	if math.IsNaN(now/before) || math.IsInf(now/before, 0) {
		return "-"
	}
	return fmt.Sprintf("%.2f", now/before)
}

// spread says how far the rounds of a build lie apart, in percent of their median: what is below that is noise. Of the build where it is
// larger; empty with one round.
func spread(values [][]float64) string {
	largest := math.NaN()
	for _, v := range values {
		if len(v) < 2 || median(v) == 0 {
			continue
		}
		low, high := v[0], v[0]
		for _, x := range v {
			low, high = min(low, x), max(high, x)
		}
		if d := (high - low) / median(v); !(d <= largest) {
			largest = d
		}
	}
	if math.IsNaN(largest) {
		return ""
	}
	return fmt.Sprintf("%.0f %%", largest*100)
}
