// Package postcodes owns the list of German postcodes with the towns that have them: towns.txt, made by gen from OpenStreetMap's data
// (NOTICE says whose they are and under which licence). It is pure.
//
// The table is searched where it lies in the program file. Nothing is parsed or kept, so it costs no memory but the pages of the file that
// are looked at.
package postcodes

import (
	_ "embed"
	"slices"
	"strings"
)

// towns has a line for each postcode, in order: the postcode and the names of its towns, sorted, with semicolons between them.
//
//go:embed towns.txt
var towns string

const digits = 5

// Towns lists the towns of a postcode by name; nil for a postcode that does not exist.
func Towns(postcode string) []string {
	if line := lineFrom(postcode); line != "" && line[:digits] == postcode {
		return strings.Split(line[digits:], ";")
	}
	return nil
}

// Starting lists the postcodes that begin with some digits, in order.
func Starting(prefix string) []string {
	var list []string
	for at := search(prefix); at < len(towns) && strings.HasPrefix(towns[at:], prefix); at += len(lineAt(at)) + 1 {
		list = append(list, towns[at:at+digits])
	}
	return slices.Clip(list)
}

// lineFrom is the first line that is not before a text, "" without one.
func lineFrom(text string) string {
	if at := search(text); at < len(towns) {
		return lineAt(at)
	}
	return ""
}

// lineAt is the line that begins at a place, without its end.
func lineAt(at int) string {
	line, _, _ := strings.Cut(towns[at:], "\n")
	return line
}

// search finds where the first line begins that is not before a text; the length of the table without one.
func search(text string) int {
	first, end := 0, len(towns) // both are beginnings of lines; what is sought lies in between
	for first < end {
		middle := strings.LastIndexByte(towns[:first+(end-first)/2], '\n') + 1
		if middle < first {
			middle = first
		}
		if lineAt(middle) >= text {
			end = middle
		} else {
			first = middle + len(lineAt(middle)) + 1
		}
	}
	return first
}
