package record

// Members calls f with each member of an object in text that is known to be JSON: the key without its quotes and the value as
// written. It ends when f returns false.
func Members(object []byte, f func(key, value []byte) bool) {
	for i := skipSpace(object, 1); i < len(object) && object[i] == '"'; {
		end := skipValue(object, i)
		key := object[i+1 : end-1]
		i = skipSpace(object, skipSpace(object, end)+1)
		end = skipValue(object, i)
		if !f(key, object[i:end]) {
			return
		}
		if i = skipSpace(object, end); i < len(object) && object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
}

// Elements calls f with each element of an array in text that is known to be JSON. It ends when f returns false.
func Elements(array []byte, f func(value []byte) bool) {
	for i := skipSpace(array, 1); i < len(array) && array[i] != ']'; {
		end := skipValue(array, i)
		if !f(array[i:end]) {
			return
		}
		if i = skipSpace(array, end); i < len(array) && array[i] == ',' {
			i = skipSpace(array, i+1)
		}
	}
}

// skipValue returns the offset after the value at i.
func skipValue(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
