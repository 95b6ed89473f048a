// Package consume is the reading side of the event log as Watermill sees it.
//
// It has two ways in. [Publisher] and [Subscriber] are Watermill's ordinary
// pair over EventStoreDB: one event, one message, one stream per topic, with or
// without a consumer group. [Consumer] is the high-rate path that projections,
// policies and mail share: a Watermill Router in which one message carries a
// [Run] of consecutive events of the global log, folded by the handler into a
// [Unit] of work that is committed while the next run is being folded.
//
// The contract of the high-rate path is in two small interfaces, [Log] and
// [Unit]: the place where a consumer's progress lives, and the work of one run,
// which becomes durable together with the progress it stands for, or not at
// all. From that follows what a handler may rely on:
//
//   - Every event of the subscribed prefixes arrives, in the order of the log.
//   - Its effect is committed once, however often the handler was called.
//   - An event that cannot be handled is parked together with every later event
//     of its stream, in the same transaction as the progress past it; it is
//     never skipped and never holds up other streams.
//   - An outage of the store or of the database parks nothing: the consumer
//     waits, reconnects and continues from the committed position.
//
// The package knows nothing of Postgres and of what events mean.
package consume
