// Package policies reacts to events by issuing commands: what must happen in
// another stream than the one that an event stands in.
//
// It is a handler for [waybill/events/consume]. A reaction's command id is
// derived from the event and its causation is the event, so that reacting twice
// is reacting once. Policies decide nothing themselves; what they find done
// already, they leave alone.
package policies
