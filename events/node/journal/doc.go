// Package journal is the durable, ordered record of everything that was appended: one global log of events, an index
// by stream and revision, and the head of every stream.
//
// What it promises:
//   - an append is all or nothing, and is answered only after it is on disk (fsync); concurrent appends share one fsync;
//   - readers see only what is on disk;
//   - positions grow strictly, start above zero and never change;
//   - every event carries a checksum that is verified whenever the event is read: damage is an error that names the
//     position, never an event.
//
// It knows the rules of streams (expected revisions, idempotency, truncation, deletion), and nothing of the network.
// It must never answer an append before its fsync, and never delete an event that a reader could still see.
package journal
