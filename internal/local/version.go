package local

import (
	"kreislauf"
	"kreislauf/services"
)

// Versions are those of the platform and of its services, as this program was built.
func Versions() (kreislauf.Versions, error) {
	var names []string
	for _, s := range services.All() {
		names = append(names, s.Name)
	}
	return kreislauf.VersionsOf(kreislauf.Sources(), names)
}
