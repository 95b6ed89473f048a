// Package access knows who is calling and what they may do.
//
// Its pure part is the caller with its scope, the roles, the permissions and
// the rules of conferring ("nobody confers what they lack"). Around it stand
// identities, sessions and one-time tokens, which live outside the event log,
// and the HTTP middleware that finds the caller of a request. It decides no
// command and runs no query on anybody's behalf.
package access
