package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A block of the tour is a fenced block "sh" below the heading that begins with "A tour". Beneath a command stands what it prints:
//
//	curl -s $API/order/v1/orders/$ORDER
//	# → "state":"paid"
//
// or a fenced block of its own, without "sh", behind the block, for its last command. Each such line has to be found in the output, in this
// order; other output may stand around it. "…" stands for anything within a line, a time such as 4.5ms for any time, the number of an instance
// such as order-2 for any, a bar such as |██  | for any; blanks and the branches of a tree (├─ │) are of no matter. A line "…" alone says that more follows.
type block struct {
	line  int    // of its fence
	title string // of the step of the tour
	steps []step
}

// step is some commands, and what they print.
type step struct {
	line int
	code string
	want []string
}

func (b block) String() string { return fmt.Sprintf("%s (line %d)", b.title, b.line) }

const prints = "# → "

var (
	heading = regexp.MustCompile(`^\d+\. \*\*(.+?)\.?\*\*`)
	fence   = regexp.MustCompile("^( *)```(.*)$")
	sleeps  = regexp.MustCompile(`(?m)\bsleep (\d+)`)
)

// readTour reads the blocks of a page.
func readTour(page string) ([]block, error) {
	var blocks []block
	var cur *block    // the block that is being read; nil between fences and within an output
	var output []step // non-empty while an output is being read: its only element is the step that prints it
	title, indent, inTour, follows := "", "", false, false
	n := 0
	for line := range strings.Lines(page) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if cur == nil && output == nil && strings.HasPrefix(line, "## ") {
			inTour = strings.HasPrefix(line, "## A tour")
		}
		if !inTour {
			continue
		}
		mark := fence.FindStringSubmatch(line)
		switch {
		case mark != nil && cur == nil && output == nil && mark[2] == "sh":
			blocks = append(blocks, block{line: n, title: title})
			cur, indent = &blocks[len(blocks)-1], mark[1]
		case mark != nil && cur == nil && output == nil:
			if !follows {
				return nil, fmt.Errorf("line %d: an output without a block of commands (```sh) before it", n)
			}
			last := blocks[len(blocks)-1].steps
			output, indent = last[len(last)-1:], mark[1]
		case mark != nil:
			if cur != nil && len(cur.steps) == 0 {
				return nil, fmt.Errorf("line %d: the block has no command", n)
			}
			follows = cur != nil // an output may come
			cur, output = nil, nil
		case cur != nil:
			if err := cur.add(n, strings.TrimPrefix(line, indent)); err != nil {
				return nil, err
			}
		case output != nil:
			output[0].want = append(output[0].want, strings.TrimPrefix(line, indent))
		default:
			if m := heading.FindStringSubmatch(line); m != nil {
				title = m[1]
				follows = false
			}
		}
	}
	if len(blocks) == 0 || cur != nil || output != nil {
		return nil, errors.New(`no block of commands below a heading "## A tour…", or the last one has no end`)
	}
	return blocks, nil
}

// add takes the next line of a block.
func (b *block) add(n int, line string) error {
	want, isWant := strings.CutPrefix(line, prints)
	switch last := len(b.steps) - 1; {
	case isWant && last < 0:
		return fmt.Errorf("line %d: an output without a command before it", n)
	case isWant:
		b.steps[last].want = append(b.steps[last].want, want)
	case last < 0 || len(b.steps[last].want) > 0:
		b.steps = append(b.steps, step{line: n, code: line + "\n"})
	default:
		b.steps[last].code += line + "\n"
	}
	return nil
}

// slow says that the block waits for a minute or more.
func (b block) slow() bool { return b.waits() >= time.Minute }

// waits is how long the commands say that they sleep.
func (b block) waits() time.Duration {
	var sum time.Duration
	for _, s := range b.steps {
		for _, m := range sleeps.FindAllStringSubmatch(s.code, -1) {
			seconds, _ := strconv.Atoi(m[1]) // digits; too many of them are no wait
			sum += time.Duration(seconds) * time.Second
		}
	}
	return sum
}

var (
	blanks = regexp.MustCompile(`[ \t├└│┊─]+`)
	varies = regexp.MustCompile(` ?… ?|\|[█ ]*\||\b(?:\d+(?:\.\d+)?(?:ns|µs|ms|s|m|h))+\b|\b[a-z]+-\d\b`)
)

// pattern makes a regular expression of a line of output.
func pattern(line string) *regexp.Regexp {
	line = strings.TrimSpace(blanks.ReplaceAllString(line, " "))
	var p strings.Builder
	end := 0
	for _, at := range varies.FindAllStringIndex(line, -1) {
		p.WriteString(regexp.QuoteMeta(line[end:at[0]]))
		end = at[1]
		switch what := line[at[0]:at[1]]; {
		case strings.Contains(what, "…"):
			p.WriteString(`.*`)
		case what[0] == '|':
			p.WriteString(`\|[█ ]*\|`)
		case what[0] >= '0' && what[0] <= '9':
			p.WriteString(`(?:\d+(?:\.\d+)?(?:ns|µs|ms|s|m|h))+`)
		default:
			p.WriteString(regexp.QuoteMeta(what[:len(what)-1]) + `\d+\b`)
		}
	}
	p.WriteString(regexp.QuoteMeta(line[end:]))
	return regexp.MustCompile(p.String())
}

// missing is the first line of what is wanted that the output does not have after the ones before it; empty when it has them all.
func missing(want []string, output string) string {
	output = blanks.ReplaceAllString(output, " ")
	for _, line := range want {
		if strings.TrimSpace(blanks.ReplaceAllString(line, " ")) == "…" {
			continue
		}
		at := pattern(line).FindStringIndex(output)
		if at == nil {
			return line
		}
		output = output[at[1]:]
	}
	return ""
}
