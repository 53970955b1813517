package mongod

import (
	"slices"

	"kreislauf/internal/backend/mongod/pipeline"
	"kreislauf/internal/backend/mongod/query"
	"kreislauf/internal/backend/mongod/registry"
	"kreislauf/internal/backend/mongod/store"
	"kreislauf/internal/backend/mongod/update"
)

// Name is one thing that the server has: a command, an operator, a stage, an accumulator, a modifier or an index option.
type Name = registry.Name

// Names lists all that the server has, kind by kind.
func Names() []Name {
	return slices.Concat(commandTable().Names(), query.Names(), update.Names(), pipeline.Names(), store.Names())
}
