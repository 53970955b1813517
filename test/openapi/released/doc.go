// Package released holds today's OpenAPI documents against those of releases, testdata/<commit>: clients are not updated with the
// platform, so what was promised stays. It is a module of its own, so that the comparison (oasdiff) brings its dependencies to nobody else.
//
// A break is: a path, an operation, a parameter or a member of a body that is gone (bodies with unknown members are refused, so a removed
// member of a request fails its clients); a value that may no longer be sent; a new member, parameter or limit that requests must observe; another
// type. Answers may grow: new members, new values of an enumeration, wider limits, another form for other callers. Clients must not mind.
//
// `make record-release RELEASE=<commit>` adds a release.
package released
