package logship

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"kreislauf/logship/alarm"
)

// maxShownFiles is the greatest number of files in the table. Those that are furthest behind are in it.
const maxShownFiles = 15

// Table renders a status for people. The tables of counters are at most 80 columns wide. last is the status since ago; it gives
// the rates of targets that are in both.
func Table(st, last Status, since time.Duration) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "logship %s, up %s\n\n", st.Instance, st.Time.Sub(st.Started).Round(time.Second))
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "target\tstate\tbehind\toldest\tdelivered\tdocs/s\tretries\t")
	for i, t := range st.Targets {
		state, rate := "ok", "-"
		if t.Degraded {
			state = "IN TROUBLE"
		}
		if i < len(last.Targets) && last.Targets[i].Name == t.Name && since > 0 {
			rate = fmt.Sprintf("%.0f", float64(t.Delivered-last.Targets[i].Delivered)/since.Seconds())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%d\t\n", t.Name, state, alarm.Bytes(t.Behind), ageText(t.OldestUnacked), t.Delivered,
			rate, t.Retries)
	}
	_ = w.Flush() // a buffer takes everything
	fmt.Fprintln(w, "\ntarget\tduplicates\trejected\tdead letters\tabandoned\tmissing\tsurplus\t")
	for _, t := range st.Targets {
		missing, surplus := "-", "-"
		if r := t.Reconciliation; r != nil {
			missing, surplus = fmt.Sprint(r.Missing), fmt.Sprint(r.Surplus)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t\n", t.Name, t.Duplicates, t.Rejected, alarm.Bytes(t.DeadLetterBytes),
			alarm.Bytes(t.AbandonedBytes), missing, surplus)
	}
	_ = w.Flush() // a buffer takes everything
	for _, t := range st.Targets {
		filesTable(&out, t)
	}
	return out.Bytes()
}

func filesTable(out *bytes.Buffer, t TargetStatus) {
	sort.SliceStable(t.Files, func(i, j int) bool { return t.Files[i].Behind > t.Files[j].Behind })
	fmt.Fprintf(out, "\n%s: %d files\n", t.Name, len(t.Files))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, f := range t.Files {
		if i == maxShownFiles {
			fmt.Fprintf(w, "  … %d more\n", len(t.Files)-i)
			break
		}
		note := ""
		switch {
		case f.Deleted:
			note = "deleted, kept open"
		case f.Gone:
			note = "rotated"
		}
		text := fmt.Sprintf("  %s\t%s behind\t%s\t%s", f.Path, alarm.Bytes(f.Behind), ageText(f.OldestUnacked), note)
		fmt.Fprintln(w, strings.TrimRight(text, "\t"))
	}
	_ = w.Flush() // a buffer takes everything
}

func ageText(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return (time.Duration(seconds*1e3) * time.Millisecond).Round(10 * time.Millisecond).String()
}
