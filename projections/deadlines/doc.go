// Package deadlines keeps what is to end by itself, and when, in Postgres, so that
// a clock can sleep until the earliest is due without ever looking at the log.
//
// It only follows events: a deadline comes with the event that sets it and goes
// with the event that ends what it was about. It issues nothing.
package deadlines
