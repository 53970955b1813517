package config

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scalar reads text into v, whose key has the tags. The error says only what is wrong with the text.
func (r *reader) scalar(text string, v reflect.Value, tag reflect.StructTag) error {
	if oneof := tag.Get("oneof"); oneof != "" {
		for _, name := range strings.Split(oneof, ", ") {
			if text == name {
				v.SetString(text)
				return nil
			}
		}
		return fmt.Errorf("%q is not known; allowed: %s", text, oneof)
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration; write for example 50ms, 5s, 2m", text)
		}
		*p = d
		return inBounds(int64(d), text, tag, func(s string) int64 { d, _ := time.ParseDuration(s); return int64(d) })
	case *Size:
		n, err := parseSize(text)
		if err != nil {
			return err
		}
		*p = n
		return inBounds(int64(n), text, tag, func(s string) int64 { n, _ := parseSize(s); return int64(n) })
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		*p = n
		return inBounds(int64(n), text, tag, func(s string) int64 { n, _ := strconv.Atoi(s); return int64(n) })
	case *bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is not allowed; allowed: true, false", text)
		}
		*p = text == "true"
	case *string:
		*p = text
	case *Secret:
		s, err := r.expand(text)
		*p = Secret(s)
		return err
	case *Path:
		*p = Path(r.absolute(text))
	case *Glob:
		*p = Glob(r.absolute(text))
		return checkGlob(string(*p))
	case *netip.Prefix:
		prefix, err := parsePrefix(text)
		*p = prefix
		return err
	case **regexp.Regexp:
		re, err := regexp.Compile(text)
		if err != nil {
			return fmt.Errorf("%q is no regular expression: %w", text, err)
		}
		*p = re
	case *Folders:
		folders, err := parseFolders(text)
		*p = folders
		return err
	}
	return nil
}

func inBounds(n int64, text string, tag reflect.StructTag, read func(string) int64) error {
	low, high := tag.Get("min"), tag.Get("max")
	if n < read(low) || n > read(high) {
		return fmt.Errorf("%s is out of bounds; allowed: %s to %s", text, low, high)
	}
	return nil
}

func parseSize(text string) (Size, error) {
	number := strings.TrimRight(text, "KMGiB")
	shift, ok := map[string]int{"": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[text[len(number):]]
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size; write for example 64KiB, 4MiB or 1048576", text)
	}
	return Size(n << shift), nil
}

// String renders the size in the largest unit that leaves it whole.
func (s Size) String() string {
	for shift, unit := range map[int]string{30: "GiB", 20: "MiB", 10: "KiB"} {
		if s > 0 && s%(1<<shift) == 0 && (s>>shift)%1024 != 0 {
			return strconv.FormatInt(int64(s>>shift), 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

func parsePrefix(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is no address and no network; write for example 127.0.0.1 or 10.0.0.0/8", text)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func parseFolders(text string) (Folders, error) {
	var out Folders
	for _, part := range strings.Split(text, "/") {
		switch part {
		case "<env>", "<customer>", "<service>":
			out = append(out, strings.Trim(part, "<>"))
		case "*":
			out = append(out, "")
		default:
			return nil, fmt.Errorf("%q is not known; allowed: <env>, <customer>, <service>, * with / between them", part)
		}
	}
	return out, nil
}

// String renders the folders as they are written.
func (f Folders) String() string {
	parts := make([]string, len(f))
	for i, name := range f {
		parts[i] = "*"
		if name != "" {
			parts[i] = "<" + name + ">"
		}
	}
	return strings.Join(parts, "/")
}

// variable is ${NAME} inside a secret.
var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand puts the values of environment variables into a secret.
func (r *reader) expand(text string) (string, error) {
	var missing []string
	out := variable.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := r.lookup(name)
		if !ok {
			missing = append(missing, name)
		}
		return value
	})
	if missing != nil {
		return "", fmt.Errorf("needs the environment variable %s, which is not set", strings.Join(missing, ", "))
	}
	return out, nil
}

func (r *reader) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}
