package mongod

// commandTable lists the commands by name.
func commandTable() map[string]*command {
	ignoredRead := []string{"allowDiskUse", "allowPartialResults", "oplogReplay", "returnKey", "showRecordId"}
	list := []*command{
		{name: "hello", open: true, run: (*Server).hello},
		{name: "isMaster", open: true, run: (*Server).hello},
		{name: "ismaster", open: true, run: (*Server).hello},
		{name: "ping", run: (*Server).acknowledge},
		{name: "buildInfo", run: (*Server).buildInfo},
		{name: "buildinfo", run: (*Server).buildInfo},
		{name: "endSessions", run: (*Server).acknowledge},
		{
			name: "insert", run: (*Server).insert,
			fields: []string{"documents", "ordered"}, refused: []string{"bypassDocumentValidation"},
		},
		{
			name: "find", run: (*Server).find, ignored: ignoredRead[:3],
			fields:  []string{"filter", "sort", "projection", "skip", "limit", "batchSize", "singleBatch", "noCursorTimeout"},
			refused: []string{"hint", "collation", "let", "min", "max", "returnKey", "showRecordId", "tailable", "awaitData"},
		},
		{name: "getMore", run: (*Server).getMore, fields: []string{"collection", "batchSize"}, refused: []string{"term", "lastKnownCommittedOpTime"}},
		{name: "killCursors", run: (*Server).killCursors, fields: []string{"cursors"}},
		{
			name: "update", run: (*Server).update,
			fields: []string{"updates", "ordered"}, refused: []string{"bypassDocumentValidation", "let"},
		},
		{name: "delete", run: (*Server).delete, fields: []string{"deletes", "ordered"}, refused: []string{"let"}},
		{
			name: "findAndModify", run: (*Server).findAndModify,
			fields:  []string{"query", "sort", "remove", "update", "new", "fields", "upsert"},
			refused: []string{"bypassDocumentValidation", "collation", "arrayFilters", "hint", "let"},
		},
		{name: "count", run: (*Server).count, fields: []string{"query", "limit", "skip"}, refused: []string{"hint", "collation"}},
		{name: "distinct", run: (*Server).distinct, fields: []string{"key", "query"}, refused: []string{"hint", "collation"}},
		{
			name: "aggregate", run: (*Server).aggregate, ignored: ignoredRead[:1], fields: []string{"pipeline", "cursor"},
			refused: []string{"explain", "hint", "collation", "let", "bypassDocumentValidation"},
		},
		{name: "createIndexes", run: (*Server).createIndexes, fields: []string{"indexes"}, ignored: []string{"ignoreUnknownIndexOptions"}, refused: []string{"commitQuorum"}},
		{name: "listIndexes", run: (*Server).listIndexes, ignored: []string{"cursor"}},
		{name: "dropIndexes", run: (*Server).dropIndexes, fields: []string{"index"}},
		{
			name: "create", run: (*Server).create,
			refused: []string{
				"capped", "autoIndexId", "idIndex", "size", "max", "storageEngine", "validator", "validationLevel", "validationAction",
				"indexOptionDefaults", "viewOn", "pipeline", "collation", "changeStreamPreAndPostImages", "timeseries", "expireAfterSeconds",
				"clusteredIndex", "encryptedFields",
			},
		},
		{name: "drop", run: (*Server).drop},
		{name: "dropDatabase", run: (*Server).dropDatabase},
		{name: "listCollections", run: (*Server).listCollections, fields: []string{"filter", "nameOnly"}, ignored: []string{"cursor", "authorizedCollections"}},
		{name: "listDatabases", run: (*Server).listDatabases, fields: []string{"filter", "nameOnly"}, ignored: []string{"authorizedDatabases"}},
	}
	table := make(map[string]*command, len(list)+1)
	for _, c := range list {
		table[c.name] = c
	}
	table["findandmodify"] = table["findAndModify"]
	return table
}
