// Package commandapi is the HTTP side of the commands: it reads a request
// strictly, has command.Service do what it asks for, and tells the caller where
// in the log that stands.
//
// It decides nothing: no rule about deliveries, groups, users or clients lives
// here. It must never write a token or a password anywhere but into the one
// answer that a token is for.
package commandapi
