// Package elk owns everything the platform keeps in or asks of Elasticsearch, as files:
//
//	templates/   component templates (the names with an @) and index templates of the data streams
//	ilm/         index lifecycle policies, one a file, applied as kreislauf-<file name>
//	dashboards/  Kibana saved objects (NDJSON), to be imported by POST /api/saved_objects/_import
//	rules/       KPI alert rules, read by package kpi
//	funnels/     funnel definitions, read by package funnel
//
// The packages below it use these files: connect (client and errors), provision (puts templates and policies),
// lifecycle (carries a policy out where the server does not), kpi (evaluates a rule), alert (state machine and
// delivery), funnel, trace. The files are compiled into the binary; a changed file needs a new build. Package elk
// itself talks to nobody.
package elk

import "embed"

//go:embed templates/*.json ilm/*.json dashboards/*.ndjson rules/*.json funnels/*.json
var files embed.FS

// Files returns the embedded folders templates, ilm, dashboards, rules and funnels.
func Files() embed.FS { return files }
