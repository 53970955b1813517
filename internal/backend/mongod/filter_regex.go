package mongod

import "regexp"

// parseRegexOperator reads $regex with its $options once, at the key $regex.
func parseRegexOperator(leaf filter, key string, d document) (*filter, error) {
	re, opt := d.get("$regex"), d.get("$options")
	if key == "$options" {
		if re.missing() {
			return nil, failure(codeBadValue, "$options needs a $regex")
		}
		return nil, nil
	}
	pattern, options := "", ""
	switch re.kind {
	case kindString:
		pattern = re.text()
	case kindRegex:
		pattern, options = re.regex()
	default:
		return nil, failure(codeBadValue, "$regex has to be a string")
	}
	if !opt.missing() {
		if opt.kind != kindString {
			return nil, failure(codeBadValue, "$options has to be a string")
		}
		if options != "" {
			return nil, failure(codeInvalidRegex, "options set in both $regex and $options")
		}
		options = opt.text()
	}
	return leaf.regex(pattern, options, re)
}

func (f filter) regex(pattern, options string, v value) (*filter, error) {
	flags := ""
	for _, c := range options {
		switch c {
		case 'i', 'm', 's':
			flags += string(c)
		case 'u':
		case 'x':
			return nil, unsupported("regular expression option 'x'")
		default:
			return nil, failure(codeRegexFlag, " invalid flag in regex options: %c", c)
		}
	}
	source := pattern
	if flags != "" {
		source = "(?" + flags + ")" + pattern
	}
	compiled, err := regexp.Compile(source)
	if err != nil {
		return nil, failure(codeInvalidRegex, "Regular expression is invalid: %v", err)
	}
	out := f.as(opRegex, v)
	out.regexp, out.prefix = compiled, literalPrefix(pattern, options)
	return out, nil
}
