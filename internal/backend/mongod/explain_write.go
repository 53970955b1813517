package mongod

// explainWrite explains the one statement of an update or delete, or a findAndModify; nothing is written.
func (s *Server) explainWrite(q *request, level verbosity) (document, error) {
	sel, first, st, upsert, err := q.parseExplainedWrite()
	if err != nil {
		return nil, err
	}
	ns, err := q.namespace()
	if err != nil {
		return nil, err
	}
	matched := int64(0)
	e, err := s.planFor(ns, sel, q, level, func(c *collTx, sc *scan) (int64, error) {
		matched, err = countMatches(sel.filter, first && (len(sel.order) == 0 || sc.sorted))(c, sc)
		return 0, err
	})
	if err != nil {
		return nil, err
	}
	changed := matched
	if first {
		changed = min(matched, 1)
	}
	e.returned = 0
	if express := e.express(sel, "EXPRESS_UPDATE"); express != nil && st.name == "UPDATE" && !upsert {
		express.last = []field{{"nWouldModify", int32Value(int32(changed))}, {"nWouldUpsert", int32Value(0)}, {"nWouldDelete", int32Value(0)}}
		e.root = express
		return s.explanation(q, e, level), nil
	}
	st.input = e.access(matched)
	if st.name == "UPDATE" {
		st.last = []field{{"nWouldModify", int32Value(int32(changed))}, {"nWouldUpsert", int32Value(int32(boolRank(upsert && changed == 0)))}}
	} else {
		st.last = []field{{"nWouldDelete", int32Value(int32(changed))}}
	}
	e.root = st
	return s.explanation(q, e, level), nil
}

func (q *request) parseExplainedWrite() (sel selection, first bool, st *planStage, upsert bool, err error) {
	if q.command.name == "findAndModify" {
		a := q.args()
		filterDoc, sortDoc := a.document("query"), a.document("sort")
		if a.err != nil {
			return sel, true, nil, false, a.err
		}
		if sel.filter, err = parseFilter(filterDoc); err == nil {
			sel.order, err = parseSort(sortDoc)
		}
		name := "UPDATE"
		if q.body.get("remove").truthy() {
			name = "DELETE"
		}
		return sel, true, newPlanStage(name, nil), q.body.get("upsert").truthy(), err
	}
	list := "updates"
	if q.command.name == "delete" {
		list = "deletes"
	}
	specs, err := q.documents(list)
	if err == nil && len(specs) != 1 {
		err = failure(codeInvalidLength, "explained write batches must be of size 1")
	}
	if err != nil {
		return sel, false, nil, false, err
	}
	if list == "deletes" {
		statements, bad, err := q.parseDeletes(specs)
		if err != nil || bad[0] != nil {
			return sel, false, nil, false, firstError(err, bad)
		}
		name := "BATCHED_DELETE"
		if statements[0].first {
			name = "DELETE"
		}
		return statements[0].selection, statements[0].first, newPlanStage(name, nil), false, nil
	}
	statements, invalid, err := q.parseUpdates(specs)
	if err != nil || invalid[0] != nil {
		return sel, false, nil, false, firstError(err, invalid)
	}
	return statements[0].selection, !statements[0].multi, newPlanStage("UPDATE", nil), statements[0].upsert, nil
}

func firstError(err error, others []error) error {
	if err != nil {
		return err
	}
	return others[0]
}
