package mongod

// commandTable lists the commands by name.
func commandTable() map[string]*command {
	ignoredRead := []string{"allowDiskUse", "allowPartialResults", "oplogReplay", "returnKey", "showRecordId"}
	userFields := []string{"pwd", "roles", "digestPassword", "mechanisms"}
	userRefused := []string{"customData", "authenticationRestrictions"}
	list := []*command{
		{name: "hello", action: actionFree, open: true, run: (*Server).hello},
		{name: "isMaster", action: actionFree, open: true, run: (*Server).hello},
		{name: "ismaster", action: actionFree, open: true, run: (*Server).hello},
		{name: "ping", action: actionFree, run: (*Server).acknowledge},
		{name: "buildInfo", note: "names bbolt as its storage engine", action: actionFree, run: (*Server).buildInfo},
		{name: "buildinfo", action: actionFree, run: (*Server).buildInfo},
		{name: "saslStart", action: actionFree, run: (*Server).saslStart, fields: []string{"mechanism", "payload", "options"}, ignored: []string{"autoAuthorize", "db"}},
		{name: "saslContinue", action: actionFree, run: (*Server).saslContinue, fields: []string{"conversationId", "payload"}},
		{name: "logout", action: actionFree, run: (*Server).logout},
		{name: "connectionStatus", action: actionFree, run: (*Server).connectionStatus, refused: []string{"showPrivileges"}},
		{name: "createUser", action: actionUsers, run: (*Server).createUser, fields: userFields, refused: userRefused},
		{name: "updateUser", action: actionUsers, run: (*Server).updateUser, fields: userFields, refused: userRefused},
		{name: "dropUser", action: actionUsers, run: (*Server).dropUser},
		{
			name: "usersInfo", action: actionLogin, run: (*Server).usersInfo,
			refused: []string{"showCredentials", "showCustomData", "showPrivileges", "showAuthenticationRestrictions", "filter"},
		},
		{name: "endSessions", action: actionLogin, run: (*Server).acknowledge},
		{
			name: "insert", action: actionWrite, run: (*Server).insert,
			fields: []string{"documents", "ordered"}, refused: []string{"bypassDocumentValidation"},
		},
		{
			name: "find", note: "without a sort in the order of _id or of the index", action: actionFind, run: (*Server).find, ignored: ignoredRead[:3],
			fields:  []string{"filter", "sort", "projection", "skip", "limit", "batchSize", "singleBatch", "noCursorTimeout", "hint"},
			refused: []string{"collation", "let", "min", "max", "returnKey", "showRecordId", "tailable", "awaitData"},
		},
		{name: "getMore", action: actionRead, run: (*Server).getMore, fields: []string{"collection", "batchSize"}, refused: []string{"term", "lastKnownCommittedOpTime"}},
		{name: "killCursors", action: actionRead, run: (*Server).killCursors, fields: []string{"cursors"}},
		{
			name: "update", action: actionWrite, run: (*Server).update,
			fields: []string{"updates", "ordered"}, refused: []string{"bypassDocumentValidation", "let"},
		},
		{name: "delete", action: actionWrite, run: (*Server).delete, fields: []string{"deletes", "ordered"}, refused: []string{"let"}},
		{
			name: "findAndModify", action: actionWrite, run: (*Server).findAndModify,
			fields:  []string{"query", "sort", "remove", "update", "new", "fields", "upsert", "arrayFilters", "hint"},
			refused: []string{"bypassDocumentValidation", "collation", "let"},
		},
		{name: "count", action: actionFind, run: (*Server).count, fields: []string{"query", "limit", "skip", "hint"}, refused: []string{"collation"}},
		{name: "distinct", action: actionFind, run: (*Server).distinct, fields: []string{"key", "query", "hint"}, refused: []string{"collation"}},
		{
			name: "aggregate", note: "on a collection, not on a database", action: actionFind, run: (*Server).aggregate, ignored: ignoredRead[:1], fields: []string{"pipeline", "cursor", "explain", "hint"},
			refused: []string{"collation", "let", "bypassDocumentValidation"},
		},
		{name: "explain", note: "no index bounds, no rejected plans; commands other than find, count, distinct, aggregate, update, delete and findAndModify are refused as MongoDB refuses ping", action: actionFind, run: (*Server).explain, fields: []string{"verbosity"}},
		{name: "collMod", note: "only the expiry of a TTL index", action: actionSchema, run: (*Server).collMod, fields: []string{"index"}, refused: []string{
			"cappedMax", "cappedSize", "changeStreamPreAndPostImages", "expireAfterSeconds", "pipeline", "timeseries", "validationAction", "validationLevel", "validator", "viewOn",
		}},
		{name: "renameCollection", note: "copies the documents; other writers wait", action: actionLogin, run: (*Server).renameCollection, fields: []string{"to", "dropTarget"}},
		{name: "createIndexes", note: "builds in one transaction; other writers wait", action: actionSchema, run: (*Server).createIndexes, fields: []string{"indexes"}, ignored: []string{"ignoreUnknownIndexOptions"}, refused: []string{"commitQuorum"}},
		{name: "listIndexes", action: actionList, run: (*Server).listIndexes, ignored: []string{"cursor"}},
		{name: "dropIndexes", note: "all of an array of names or none", action: actionSchema, run: (*Server).dropIndexes, fields: []string{"index"}},
		{
			name: "create", action: actionSchema, run: (*Server).create,
			refused: []string{
				"capped", "autoIndexId", "idIndex", "size", "max", "storageEngine", "validator", "validationLevel", "validationAction",
				"indexOptionDefaults", "viewOn", "pipeline", "collation", "changeStreamPreAndPostImages", "timeseries", "expireAfterSeconds",
				"clusteredIndex", "encryptedFields",
			},
		},
		{name: "drop", action: actionSchema, run: (*Server).drop},
		{name: "dropDatabase", action: actionAdmin, run: (*Server).dropDatabase},
		{
			name: "validate", note: "with full it checks every page of the file too", action: actionAdmin, run: (*Server).validate, fields: []string{"full"},
			ignored: []string{"checkBSONConformance"}, refused: []string{"repair", "metadata", "fixMultikey", "background"},
		},
		{name: "listCollections", note: "shows no UUID", action: actionList, run: (*Server).listCollections, fields: []string{"filter", "nameOnly"}, ignored: []string{"cursor", "authorizedCollections"}},
		{name: "listDatabases", note: "sizes are the bytes in use", action: actionLogin, run: (*Server).listDatabases, fields: []string{"filter", "nameOnly"}, ignored: []string{"authorizedDatabases"}},
	}
	for _, name := range []string{
		"bulkWrite", "compact", "convertToCapped", "currentOp", "dbStats", "collStats", "filemd5", "fsync", "getParameter", "setParameter", "hostInfo", "killOp", "killSessions",
		"killAllSessions", "listCommands", "logRotate", "mapReduce", "planCacheClear", "profile", "reIndex", "refreshSessions", "replSetGetStatus", "serverStatus", "shutdown",
		"startSession", "top", "whatsmyuri",
	} {
		list = append(list, &command{name: name, action: actionFree, open: true, refusal: true, run: (*Server).refuse})
	}
	table := make(map[string]*command, len(list)+1)
	for _, c := range list {
		table[c.name] = c
	}
	table["findandmodify"] = table["findAndModify"]
	return table
}

// refuse answers commands that MongoDB knows and this server does not.
func (s *Server) refuse(q *request) (document, error) {
	return nil, unsupported("the command %s", q.name)
}
