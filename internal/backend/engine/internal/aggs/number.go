package aggs

import (
	"math"
	"strconv"
	"strings"
)

// number is a pattern of digits such as 0000.0 or #,##0.00, as far as Java's DecimalFormat has them.
type number struct {
	prefix, suffix   string
	least            int // digits before the point
	minFrac, maxFrac int
	grouping         bool
	percent          bool
}

// parseNumber reads a pattern; nil is one that is not understood.
func parseNumber(pattern string) *number {
	start := strings.IndexAny(pattern, "#0.,")
	if start < 0 || !strings.ContainsAny(pattern, "#0") {
		return nil
	}
	end := start
	for end < len(pattern) && strings.IndexByte("#0.,", pattern[end]) >= 0 {
		end++
	}
	n := &number{prefix: pattern[:start], suffix: pattern[end:]}
	if strings.ContainsAny(n.prefix+n.suffix, "#0.,;'E‰¤") {
		return nil
	}
	whole, frac, _ := strings.Cut(pattern[start:end], ".")
	if strings.ContainsAny(frac, ".,") || strings.Contains(whole, "0#") || strings.Contains(frac, "#0") {
		return nil
	}
	if i := strings.LastIndexByte(whole, ','); i >= 0 {
		if len(whole)-i-1 != 3 {
			return nil
		}
		n.grouping = true
	}
	n.least, n.minFrac, n.maxFrac = strings.Count(whole, "0"), strings.Count(frac, "0"), len(frac)
	n.percent = strings.Contains(n.prefix+n.suffix, "%")
	return n
}

func (n *number) print(x float64) string {
	if math.IsNaN(x) {
		return "NaN"
	}
	if math.IsInf(x, 0) {
		return strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), "+Inf", "∞", 1)
	}
	if n.percent {
		x *= 100
	}
	scale := math.Pow(10, float64(n.maxFrac))
	if r := math.RoundToEven(x*scale) / scale; !math.IsInf(r, 0) {
		x = r
	}
	text := strconv.FormatFloat(math.Abs(x), 'f', n.maxFrac, 64)
	whole, frac, _ := strings.Cut(text, ".")
	for len(frac) > n.minFrac && strings.HasSuffix(frac, "0") {
		frac = frac[:len(frac)-1]
	}
	if whole == "0" && n.least == 0 && frac != "" {
		whole = ""
	}
	for len(whole) < n.least {
		whole = "0" + whole
	}
	if n.grouping {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	sign := ""
	if x < 0 {
		sign = "-"
	}
	if frac != "" {
		frac = "." + frac
	}
	return sign + n.prefix + whole + frac + n.suffix
}
