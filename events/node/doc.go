// Package node is an EventStoreDB node inside this program: a gRPC server on the protocol of EventStoreDB 24.10, made of
// the client module's own messages, so that an unmodified v4 client works against it as against a server.
//
// An append is answered after it is on disk; concurrent appends share one fsync. Readers and subscribers see only what is
// on disk. After a crash at any instant the node opens with every acknowledged event and no half append. Damaged data is
// reported with its place and is never served.
//
// The node must never answer before the disk, never skip an event, and never let a slow subscriber use more memory than
// one page.
//
// # What a client can do
//
//   - Append (explicit revisions, NoStream, Any, StreamExists) and BatchAppend, in parts and pipelined.
//   - Read streams and $all both ways, with filters on $all and with links resolved.
//   - Subscribe to streams and to $all, with filters, checkpoints and CaughtUp.
//   - Stream metadata ($maxCount, $maxAge, $tb; $acl and all other keys are kept), soft delete, tombstone.
//   - Persistent subscriptions on streams and on $all: create, update, delete, consume, park, replay, info, list, restart.
//   - Gossip of a cluster of one, server features, TLS, basic authentication.
//
// # What it cannot do, or does otherwise than a server
//
//   - One node: there is no replication and no follower; a directory belongs to one process at a time.
//   - $acl is kept and not enforced: who is let in may do everything.
//   - No projections, no users service, no operations service, no HTTP API, no AtomPub.
//   - Regular expressions of filters are RE2: lookaheads and backreferences are refused.
//   - The best-effort idempotency of Any remembers some 65 to 131 thousand recent events, and none from before a restart;
//     that of explicit revisions is exact, always.
//   - Scavenging is by call ([Node.Scavenge]), not by schedule. What it removes is gone from $all, too; appending a removed
//     event again at its old revision is answered with WrongExpectedVersion.
//   - A persistent subscription that is updated goes on from where it is, whatever the update says about the start, and
//     keeps its filter. The strategy PinnedByCorrelation does not exist. Retry counts do not survive a restart.
//   - Replayed events leave the parked stream when they were dealt with, not when they were handed out.
//   - An append takes up to 16 MiB at most ([Config.MaxAppendSize]); a single message of more than 20 MiB is cut off by gRPC.
//   - When the disk refuses a write the node answers nothing further as written and Run returns the reason; when the storage
//     engine cannot record its own files the process ends at once. Both are safe: what was acknowledged is on disk.
//   - Damage to the last one or two groups of appends before a crash looks like a write that the crash cut short.
//     After an orderly Close every damaged byte of an event is found.
package node
