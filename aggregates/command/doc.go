// Package command holds the application services of the write side: one method
// per command. Each finds out whether the caller may, looks at what the command
// refers to, claims the names it needs, and has it decided and appended.
//
// What a caller cannot see does not exist for it: not found, whatever it tries.
// A verb that it may not use on what it sees is denied. Every method is safe to
// repeat with the same command id, at any instant and from any process.
//
// The package knows nothing of HTTP, and of Postgres only that somebody keeps
// identities.
package command
