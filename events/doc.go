// Package events is the ground floor: the catalogue of everything that can
// happen, one Go type per event, with the envelope around it, the codec that
// writes and reads both, the upcasters that keep old versions readable for
// ever, the sealing of personal data, and the canonical bytes to hash.
//
// It decides nothing and stores nothing, and it imports nothing else of
// waybill but its own sub-packages. Sub-packages: fault (kinds of error), node
// (the embedded store), store (the client wrapper), consume (Watermill).
package events
