package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kreislauf/internal/local"
	"kreislauf/services"
)

// TestDocumentedCommands runs every command line of kreislauf and make in the README and the runbooks as far as it goes without a
// platform: on-call must not meet a usage line. What a page shows of the API must be a route.
func TestDocumentedCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no runbooks: %v", err)
	}
	t.Setenv("KREISLAUF_DATA", t.TempDir())
	t.Setenv("KREISLAUF_INVITE_KEY", strings.Repeat("ab", 32))
	t.Setenv(partnersFile, "../../internal/local/partners.json")
	t.Setenv("KREISLAUF_ELASTICSEARCH_URL", "")
	targets, routes := makeTargets(t), apiRoutes(t)
	checked := map[string]int{}
	for _, page := range append(pages, "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commandLines(string(text)) {
			checked[c.words[0]]++
			t.Logf("%s:%d %q", filepath.Base(page), c.line, c.words)
			if err := check(t, c.words, targets); err != nil {
				t.Errorf("%s:%d: `%s`: %v", filepath.Base(page), c.line, strings.Join(c.words, " "), err)
			}
		}
		for _, path := range apiPath.FindAllStringSubmatch(string(text), -1) {
			checked["API"]++
			if !slices.ContainsFunc(routes, func(r *regexp.Regexp) bool { return r.MatchString("/api" + path[1]) }) {
				t.Errorf("%s: no service has the route /api%s", filepath.Base(page), path[1])
			}
		}
	}
	if checked["kreislauf"] < 15 || checked["make"] < 15 || checked["API"] < 5 {
		t.Errorf("only %v were found: the pages are read wrongly", checked)
	}
}

// TestWrongCommandsAreFound holds the check above against lines that nobody may write down.
func TestWrongCommandsAreFound(t *testing.T) {
	t.Setenv("KREISLAUF_DATA", t.TempDir())
	targets := makeTargets(t)
	for _, line := range []string{
		"kreislauf funnel orders", "kreislauf funnel run sales", "kreislauf funel run orders", "kreislauf logship staus",
		"kreislauf logship replay -dry",
		"kreislauf up -compakt", "kreislauf up now", "kreislauf trace", "kreislauf trace -wide o-1", "kreislauf doctor -x", "kreislauf order -x",
		"kreislauf load -rate fast", "kreislauf invite", "make ups", `make up ARGS="-compakt"`, `make smoke SMOKE_ARGS="-idel 60s"`,
	} {
		found := commandLines("`" + line + "`")
		if len(found) != 1 {
			t.Fatalf("%s: read as %v", line, found)
		}
		if err := check(t, found[0].words, targets); err == nil {
			t.Errorf("`%s` passes", line)
		}
	}
}

// commandLine is a command of kreislauf or make on a page.
type commandLine struct {
	line  int
	words []string // the first is "kreislauf" or "make"
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	// program finds kreislauf or make where a shell would look for a program, up to what ends its arguments.
	program  = regexp.MustCompile(`(?:^|[;&|(]\s*|\$\()(?:bin/|\./)?((?:kreislauf|make)(?: [^;&|)#]*)?)(?:$|[;&|)#])`)
	oneWord  = regexp.MustCompile(`"[^"]*"|'[^']*'|<[^>]*>|[^\s"'<]+`)
	apiPath  = regexp.MustCompile(`\$API(/(?:[A-Za-z0-9_./<>-]|\$[A-Z]+)+)`)
	variable = regexp.MustCompile(`\$[A-Z]+`)
)

// commandLines finds the commands of a page: in code spans, and in fenced blocks.
func commandLines(page string) []commandLine {
	var found []commandLine
	fenced, n := false, 0
	for line := range strings.Lines(page) {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		texts := []string{line}
		if !fenced {
			texts = nil
			for _, span := range codeSpan.FindAllStringSubmatch(line, -1) {
				texts = append(texts, span[1])
			}
		}
		for _, text := range texts {
			for _, m := range program.FindAllStringSubmatch(text, -1) {
				if words := split(m[1]); len(words) > 1 {
					found = append(found, commandLine{n, words})
				}
			}
		}
	}
	return found
}

// split makes words of a command line; a placeholder such as <trace id>, and a variable, is some word.
func split(line string) []string {
	var words []string
	joined := false // the next piece continues the last word: ARGS="-compact"
	end := 0
	for _, at := range oneWord.FindAllStringIndex(line, -1) {
		piece := line[at[0]:at[1]]
		joined = len(words) > 0 && at[0] == end
		end = at[1]
		switch piece[0] {
		case '"', '\'':
			piece = piece[1 : len(piece)-1]
		case '<':
			piece = "some-word"
		}
		piece = variable.ReplaceAllString(piece, "some-word")
		if joined {
			words[len(words)-1] += piece
			continue
		}
		words = append(words, piece)
	}
	return words
}

// check runs a command line as far as it goes without a platform.
func check(t *testing.T, words []string, targets map[string]bool) error {
	t.Helper()
	if words[0] == "make" {
		return checkMake(t, words[1:], targets)
	}
	i := slices.IndexFunc(commands(), func(c command) bool { return c.name == words[1] })
	if i < 0 {
		return fmt.Errorf("there is no command %q", words[1])
	}
	args := words[2:]
	asksPlatform := slices.Contains([]string{"trace", "funnel", "load", "provision", "invite", "mail", "reconcile", "rebuild", "erp"}, words[1]) ||
		words[1] == "logship" && len(args) > 0 && slices.Contains([]string{"status", "replay"}, args[0])
	if !asksPlatform { // it would run for good
		args = append(slices.Clone(args), "-h")
	}
	err := commands()[i].run(t.Context(), args)
	if errors.Is(err, flag.ErrHelp) || errors.Is(err, local.ErrNotRunning) {
		return nil
	}
	return err
}

// checkMake looks the targets up, and checks the flags that are passed on to kreislauf up and to the smoke test.
func checkMake(t *testing.T, words []string, targets map[string]bool) error {
	t.Helper()
	up := false
	for _, w := range words {
		name, value, isVariable := strings.Cut(w, "=")
		switch {
		case !isVariable && !targets[w]:
			return fmt.Errorf("the Makefile has no target %q", w)
		case !isVariable:
			up = up || w == "up"
		case name == "ARGS" && up:
			if err := check(t, append([]string{"kreislauf", "up"}, split(value)...), targets); err != nil {
				return err
			}
		case name == "SMOKE_ARGS":
			for _, f := range split(value) {
				if strings.HasPrefix(f, "-") && !strings.Contains(read(t, "../../test/smoke/main.go"), `"`+strings.TrimPrefix(f, "-")+`"`) {
					return fmt.Errorf("the smoke test has no flag %s", f)
				}
			}
		}
	}
	return nil
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func makeTargets(t *testing.T) map[string]bool {
	t.Helper()
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindAllStringSubmatch(read(t, "../../Makefile"), -1) {
		targets[m[1]] = true
	}
	return targets
}

// apiRoutes are the paths of all services' descriptions; a parameter is any word.
func apiRoutes(t *testing.T) []*regexp.Regexp {
	t.Helper()
	var routes []*regexp.Regexp
	for _, s := range services.All() {
		path := "../../services/" + s.Name + "/openapi.yaml"
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && !s.HTTP {
			continue
		}
		var doc struct {
			Paths map[string]any
		}
		if err := yaml.Unmarshal([]byte(read(t, path)), &doc); err != nil {
			t.Fatal(err)
		}
		for p := range doc.Paths {
			pattern := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(p), `[^/]+`)
			routes = append(routes, regexp.MustCompile("^"+pattern+"$"))
		}
	}
	return routes
}
