// Package mail tells people by mail what concerns them: that they are invited,
// that an account was made for them, how they set another password, that they are
// blocked. It follows the event log as a consumer and decides nothing.
//
// # From an event to a mail
//
// An event that is to be told becomes one row of the outbox, in the transaction
// that moves the consumer's checkpoint: exactly one row per event, however often
// the log is replayed, since the event's id is the row's key. Read models may be
// built anew at any time; the outbox is none of them.
//
// The [Sender] takes the rows that are due, a few at a time. It then looks at the
// log as it is by now: what was superseded, revoked, accepted or has expired
// meanwhile, is dropped with a reason, so that a first start on an old log mails
// nothing that has lost its meaning. Who gets it, in which words, and the one-time
// token of its link, are found and made at that moment: the outbox holds neither
// text nor address nor token.
//
// # At least once
//
// A row is marked as being sent before the server is spoken to and as sent after
// it has accepted the mail. A process that dies between the two leaves the row as
// being sent; the next one sends it again, under the same Message-ID, which comes
// from the event's id, and with a fresh token. The token of the first mail stops
// working by that, the latest mail is the one that counts. So each mail goes out
// at least once, and twice only after such a death, or when the server's answer
// was lost.
//
// Links made by hand (waybill sign-in-link, the demo) and links that are mailed
// stand side by side: neither ends the other, the first one used ends both, and
// sending an invitation again ends all that were made before.
//
// # What goes wrong
//
// A mail server that cannot be reached, or lets nobody in, stops the sending for a
// while that grows; no mail loses an attempt by it. A mail that the server puts
// off (4xx) is tried again after a while that grows, for a limited number of
// attempts; one that it refuses (5xx) has failed at once. What has failed is
// listed, and sent again when somebody says so.
//
// Nothing that is logged, kept or returned as an error holds a token, a password
// or an address.
package mail
