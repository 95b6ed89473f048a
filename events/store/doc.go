// Package store is how waybill talks to EventStoreDB: append with an explicit
// expected revision, read a stream, follow the global log by stream prefix,
// consume a stream as one of a group.
//
// It speaks through the client module's own protocol stubs, connection strings
// and configuration, over connections that it dials, watches, replaces and
// closes itself. It does not go through the module's Client type, which dies or
// hangs after an outage, ends the process on a malformed timestamp, and leaks a
// connection at every rediscovery; none of that can be repaired from outside.
//
// The promise: every call returns within its context, whatever the server does;
// an answer that got lost is asked for again with the same event ids, which the
// server recognises because every append names the exact revision it expects;
// a subscription survives any outage by itself and continues after the last
// position it handed out; nothing leaks.
//
// This package knows nothing of aggregates, codecs or Postgres, and must never
// append without an expected revision or show a credential in an error or log.
package store
