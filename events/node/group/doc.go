// Package group is the consuming side of persistent subscriptions: the server remembers how far a named group of
// consumers has come, hands each event to one of them, and hands it out again until it is acknowledged, skipped or
// parked.
//
// Delivery is at least once and not in order once something is retried. What is remembered across restarts is the
// settings of a group, the position below which everything was dealt with, and the parked events (links in a stream of
// their own); how often an event was tried is not.
//
// The package must never move a group's position past an event that was not acknowledged, skipped or parked.
package group
