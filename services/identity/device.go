package identity

import (
	"strings"
	"unicode"
)

// device says in words with what somebody signs in, from the header User-Agent: "Firefox, Windows". It is for people to recognise it; anybody can
// send any. It is empty when nothing can be told.
func device(userAgent string) string {
	first := func(pairs [][2]string) string {
		for _, p := range pairs {
			if strings.Contains(userAgent, p[0]) {
				return p[1]
			}
		}
		return ""
	}
	browser := first([][2]string{ // most name those before them, so the order counts
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	})
	system := first([][2]string{
		{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	})
	switch {
	case browser == "":
		product, _, _ := strings.Cut(userAgent, "/") // of a program: curl/8.5.0
		if len(product) > 40 || strings.ContainsFunc(product, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }) {
			return ""
		}
		return product
	case system == "":
		return browser
	}
	return browser + ", " + system
}
