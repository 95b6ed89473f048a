// Package node is an EventStoreDB node inside this program: a gRPC server on the protocol of EventStoreDB 24.10, made of
// the client module's own messages, so that an unmodified v4 client works against it as against a server.
//
// An append is answered after it is on disk; concurrent appends share one fsync. Readers and subscribers see only what is
// on disk. After a crash at any instant the node opens with every acknowledged event and no half append. Damaged data is
// reported with its place and is never served.
//
// The node must never answer before the disk, never skip an event, and never let a slow subscriber use more memory than
// one page.
package node
