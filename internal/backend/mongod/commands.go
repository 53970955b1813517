package mongod

import "kreislauf/internal/backend/mongod/registry"

// commandTable lists the commands by name.
func commandTable() registry.Table[*command] {
	list := []*command{
		{name: "hello", action: actionFree, open: true, run: (*Server).hello},
		{name: "isMaster", action: actionFree, open: true, run: (*Server).hello},
		{name: "ping", action: actionFree, run: (*Server).acknowledge},
		{name: "saslStart", action: actionFree, run: (*Server).saslStart, fields: []string{"mechanism", "payload", "options", "autoAuthorize"}},
		{name: "saslContinue", action: actionFree, run: (*Server).saslContinue, fields: []string{"conversationId", "payload"}},
		{name: "endSessions", action: actionLogin, run: (*Server).acknowledge},
		{name: "insert", action: actionWrite, run: (*Server).insert, fields: []string{"documents", "ordered"}},
		{
			name: "find", note: "without a sort in the order of _id or of the index", action: actionRead, run: (*Server).find,
			fields: []string{"filter", "sort", "projection", "skip", "limit", "batchSize", "singleBatch"},
		},
		{name: "getMore", action: actionRead, run: (*Server).getMore, fields: []string{"collection", "batchSize"}},
		{name: "killCursors", action: actionRead, run: (*Server).killCursors, fields: []string{"cursors"}},
		{name: "update", action: actionWrite, run: (*Server).update, fields: []string{"updates", "ordered"}},
		{name: "delete", action: actionWrite, run: (*Server).delete, fields: []string{"deletes", "ordered"}},
		{
			name: "findAndModify", action: actionWrite, run: (*Server).findAndModify,
			fields: []string{"query", "sort", "remove", "update", "new", "fields", "upsert"},
		},
		{
			name: "aggregate", note: "on a collection, not on a database", action: actionRead, run: (*Server).aggregate,
			fields: []string{"pipeline", "cursor"},
		},
		{
			name: "createIndexes", note: "builds in one transaction; other writers wait", action: actionWrite, run: (*Server).createIndexes,
			fields: []string{"indexes"},
		},
		{name: "dropDatabase", action: actionAdmin, run: (*Server).dropDatabase},
	}
	t := registry.Table[*command]{Kind: "command"}
	for _, c := range list {
		t.Entries = append(t.Entries, registry.Entry[*command]{Name: c.name, Parse: c, Note: c.note})
	}
	return t
}
