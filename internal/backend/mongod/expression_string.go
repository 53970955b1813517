package mongod

import (
	"strings"
	"unicode/utf8"
)

func stringOperators() []entry[operatorParser] {
	return []entry[operatorParser]{
		{name: "$concat", parse: function(0, -1, evalConcat)},
		{name: "$toLower", parse: function(1, 1, evalCase), note: "ASCII letters only, as in MongoDB"},
		{name: "$toUpper", parse: function(1, 1, evalCase), note: "ASCII letters only, as in MongoDB"},
		{name: "$substrCP", parse: function(3, 3, evalSubstring)},
		{name: "$substrBytes", parse: function(3, 3, evalSubstring)},
		{name: "$strLenCP", parse: function(1, 1, evalLength)},
		{name: "$strLenBytes", parse: function(1, 1, evalLength)},
		{name: "$indexOfCP", parse: function(2, 4, evalIndexOfCP)},
		{name: "$split", parse: strictFunction(2, 2, evalSplit)},
		{name: "$trim", parse: parseTrim},
		{name: "$ltrim", parse: parseTrim},
		{name: "$rtrim", parse: parseTrim},
		{name: "$replaceOne", parse: parseReplace},
		{name: "$replaceAll", parse: parseReplace},
		{name: "$regexMatch", parse: parseRegexMatch, note: "regular expressions are Go's (RE2)"},
	}
}

func evalConcat(name string, args []value) (value, error) {
	var b strings.Builder
	for _, v := range args {
		if isNull(v) {
			return nullValue(), nil
		}
		if v.kind != kindString {
			return value{}, failure(16702, "%s only supports strings, not %s", name, kindName(v.kind))
		}
		b.WriteString(v.text())
	}
	return stringValue(b.String()), nil
}

// coerced is MongoDB's reading of a value as a string.
func coerced(v value) (string, error) {
	switch v.kind {
	case kindString, kindSymbol, kindCode:
		return v.text(), nil
	case kindInt32, kindInt64, kindDouble, kindDecimal:
		return numberText(v), nil
	case kindDate:
		return isoDate(v), nil
	case kindNull, kindMissing, kindUndefined:
		return "", nil
	default:
		return "", failure(16007, "can't convert from BSON type %s to String", kindName(v.kind))
	}
}

func evalCase(name string, args []value) (value, error) {
	s, err := coerced(args[0])
	if err != nil {
		return value{}, err
	}
	low, high, shift := byte('a'), byte('z'), -('a' - 'A')
	if name == "$toLower" {
		low, high, shift = 'A', 'Z', 'a'-'A'
	}
	out := []byte(s)
	for i, c := range out {
		if c >= low && c <= high {
			out[i] = byte(rune(c) + shift)
		}
	}
	return stringValue(string(out)), nil
}

func evalSubstring(name string, args []value) (value, error) {
	s, err := coerced(args[0])
	if err != nil {
		return value{}, err
	}
	bytewise := name == "$substrBytes"
	codes := [2]int{34450, 34452}
	if bytewise {
		codes = [2]int{16034, 16035}
	}
	var n [2]int64
	for i, v := range args[1:] {
		what := [2]string{"starting index", "length"}[i]
		whole := false
		n[i], whole = v.wholeNumber()
		if !v.numeric() {
			if bytewise {
				return value{}, failure(codes[i], "%s:  %s must be a numeric type (is BSON type %s)", name, what, kindName(v.kind))
			}
			return value{}, failure(codes[i], "%s: %s must be a numeric type (is BSON type %s)", name, what, kindName(v.kind))
		}
		if !whole {
			n[i] = int64(v.float())
		}
		if n[i] < 0 && (i == 0 || !bytewise) {
			return value{}, failure(34455+i, "%s: the %s must be nonnegative integer.", name, what)
		}
	}
	if bytewise {
		return substringBytes(s, n[0], n[1])
	}
	runes := []rune(s)
	from := min(n[0], int64(len(runes)))
	return stringValue(string(runes[from:min(from+n[1], int64(len(runes)))])), nil
}

func substringBytes(s string, from, length int64) (value, error) {
	size := int64(len(s))
	from = min(from, size)
	end := size
	if length >= 0 {
		end = min(from+length, size)
	}
	if from < size && !utf8.RuneStart(s[from]) {
		return value{}, failure(28656, "$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.")
	}
	if end < size && !utf8.RuneStart(s[end]) {
		return value{}, failure(28657, "$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.")
	}
	return stringValue(s[from:end]), nil
}

func evalLength(name string, args []value) (value, error) {
	v := args[0]
	if v.kind != kindString {
		code := 34471
		if name == "$strLenBytes" {
			code = 34473
		}
		return value{}, failure(code, "%s requires a string argument, found: %s", name, kindName(v.kind))
	}
	if name == "$strLenBytes" {
		return int32Value(int32(len(v.text()))), nil
	}
	return int32Value(int32(utf8.RuneCountInString(v.text()))), nil
}

func evalIndexOfCP(name string, args []value) (value, error) {
	if isNull(args[0]) {
		return nullValue(), nil
	}
	if args[0].kind != kindString {
		return value{}, failure(40093, "%s requires a string as the first argument, found: %s", name, kindName(args[0].kind))
	}
	if args[1].kind != kindString {
		return value{}, failure(40094, "%s requires a string as the second argument, found: %s", name, kindName(args[1].kind))
	}
	runes := []rune(args[0].text())
	start, end, err := searchBounds(name, args, len(runes))
	if err != nil {
		return value{}, err
	}
	if start > end {
		return int32Value(-1), nil
	}
	at := strings.Index(string(runes[start:end]), args[1].text())
	if at < 0 {
		return int32Value(-1), nil
	}
	return int32Value(int32(start + utf8.RuneCountInString(string(runes[start:end])[:at]))), nil
}

// searchBounds reads the optional start and end of a search, cut to the size.
func searchBounds(name string, args []value, size int) (start, end int, err error) {
	bounds := [2]int{0, size}
	for i, v := range args[2:] {
		n, whole := v.wholeNumber()
		what := [2]string{"starting", "ending"}[i]
		if !whole {
			return 0, 0, failure(40096, "%s requires an integral %s index, found a value of type: %s, with value: %s", name, what, kindName(v.kind), v)
		}
		if n < 0 {
			return 0, 0, failure(40097, "%s requires a nonnegative %s index, found: %d", name, what, n)
		}
		bounds[i] = int(min(n, int64(size)))
	}
	return bounds[0], bounds[1], nil
}

func evalSplit(name string, args []value) (value, error) {
	for i, v := range args {
		if v.kind != kindString {
			return value{}, failure(40085+i, "%s requires an expression that evaluates to a string%s argument, found: %s", name, [2]string{" as a first", " or regular expression as a second"}[i], kindName(v.kind))
		}
	}
	if args[1].text() == "" {
		return value{}, failure(40087, "%s requires a non-empty separator", name)
	}
	var out []value
	for _, part := range strings.Split(args[0].text(), args[1].text()) {
		out = append(out, stringValue(part))
	}
	return arrayValue(out), nil
}

func parseTrim(p exprParser, name string, arg value) (expression, error) {
	if arg.kind != kindDocument {
		return nil, failure(50696, "%s only supports an object as an argument, found %s", name, kindName(arg.kind))
	}
	for _, f := range documentFields(arg.document()) {
		if f.name != "input" && f.name != "chars" {
			return nil, failure(50694, "%s found an unknown argument: %s", name, f.name)
		}
	}
	if arg.document().get("input").missing() {
		return nil, failure(50695, "%s requires an 'input' field", name)
	}
	args, err := p.namedArguments(name, arg, 50694, []string{"input", "chars"}, nil)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		input, err := args["input"](s)
		if err != nil {
			return value{}, err
		}
		chars, err := optional(s, args["chars"], stringValue("\x00 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"))
		switch {
		case err != nil:
			return value{}, err
		case isNull(input) || isNull(chars):
			return nullValue(), nil
		case input.kind != kindString:
			return value{}, failure(50699, "%s requires its input to be a string, got %s (of type %s) instead.", name, input, kindName(input.kind))
		case chars.kind != kindString:
			return value{}, failure(50700, "%s requires 'chars' to be a string, got %s (of type %s) instead.", name, chars, kindName(chars.kind))
		}
		switch name {
		case "$ltrim":
			return stringValue(strings.TrimLeft(input.text(), chars.text())), nil
		case "$rtrim":
			return stringValue(strings.TrimRight(input.text(), chars.text())), nil
		default:
			return stringValue(strings.Trim(input.text(), chars.text())), nil
		}
	}, nil
}

func parseReplace(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	if arg.kind != kindDocument {
		return nil, failure(51751, "%s requires an object as an argument, found: %s", name, kindName(arg.kind))
	}
	for _, f := range documentFields(arg.document()) {
		if f.name != "input" && f.name != "find" && f.name != "replacement" {
			return nil, failure(51750, "%s found an unknown argument: %s", name, f.name)
		}
	}
	for i, part := range []string{"input", "find", "replacement"} {
		if arg.document().get(part).missing() {
			return nil, failure(51749-i, "%s requires '%s' to be specified", name, part)
		}
	}
	args, err := p.namedArguments(name, arg, 51750, []string{"input", "find", "replacement"}, nil)
	if err != nil {
		return nil, err
	}
	times := 1
	if name == "$replaceAll" {
		times = -1
	}
	return func(s *scope) (value, error) {
		var parts [3]string
		null := false
		for i, part := range []string{"input", "find", "replacement"} {
			v, err := args[part](s)
			switch {
			case err != nil:
				return value{}, err
			case isNull(v):
				null = true
			case v.kind != kindString:
				return value{}, failure([3]int{51746, 51745, 51744}[i], "%s requires that '%s' be a string, found: %s", name, part, v)
			default:
				parts[i] = v.text()
			}
		}
		if null {
			return nullValue(), nil
		}
		if strings.Count(parts[0], parts[1])*len(parts[2])+len(parts[0]) > maxExpressionBytes {
			return value{}, tooMuch()
		}
		return stringValue(strings.Replace(parts[0], parts[1], parts[2], times)), nil
	}, nil
}

func parseRegexMatch(p exprParser, name string, arg value) (expression, error) {
	*p.refs++ // never folded
	if arg.kind != kindDocument {
		return nil, failure(51103, "%s expects an object of named arguments but found: %s", name, kindName(arg.kind))
	}
	for _, f := range documentFields(arg.document()) {
		if f.name != "input" && f.name != "regex" && f.name != "options" {
			return nil, failure(31024, "%s found unknown option specified: %s", name, f.name)
		}
	}
	for i, part := range []string{"input", "regex"} {
		if arg.document().get(part).missing() {
			return nil, failure(31022+i, "%s requires '%s' parameter", name, part)
		}
	}
	args, err := p.namedArguments(name, arg, 31024, []string{"input", "regex", "options"}, nil)
	if err != nil {
		return nil, err
	}
	return func(s *scope) (value, error) {
		input, err := args["input"](s)
		if err != nil {
			return value{}, err
		}
		pattern, err := args["regex"](s)
		if err != nil {
			return value{}, err
		}
		options, err := optional(s, args["options"], value{})
		if err != nil {
			return value{}, err
		}
		return matchRegex(name, input, pattern, options)
	}, nil
}

func matchRegex(name string, input, pattern, options value) (value, error) {
	text, flags := "", ""
	switch {
	case !isNull(input) && input.kind != kindString:
		return value{}, failure(51104, "%s needs 'input' to be of type string", name)
	case isNull(input) || isNull(pattern):
		return boolValue(false), nil
	case pattern.kind == kindString:
		text = pattern.text()
	case pattern.kind == kindRegex:
		text, flags = pattern.regex()
	default:
		return value{}, failure(51105, "%s needs 'regex' to be of type string or regex", name)
	}
	if !isNull(options) {
		if options.kind != kindString {
			return value{}, failure(51106, "%s needs 'options' to be of type string", name)
		}
		if flags != "" {
			return value{}, failure(51107, "%s found regex option(s) specified in both 'regex' and 'option' fields", name)
		}
		flags = options.text()
	}
	f, err := filter{}.regex(text, flags, pattern)
	if err != nil {
		return value{}, err
	}
	return boolValue(f.testRegex(input)), nil
}
