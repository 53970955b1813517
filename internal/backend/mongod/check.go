package mongod

import "kreislauf/internal/backend/mongod/store"

// Report is what Check found.
type Report = store.Report

// Check compares the data folder of a server that does not run with what it should be: every page of the file, every document, every
// index. What is wrong is in the report; the error says that something could not be read.
func Check(dir string) (*Report, error) { return store.Check(dir) }
