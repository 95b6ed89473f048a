// Package readapi answers queries: who asks, what they may see, one SQL query,
// JSON.
//
// It reads the tables that projections keep, as the role waybill_reader and
// under row-level security, with the caller's scope set in the same round trip
// as the query. It decides nothing, writes nothing, imports no projection, and
// must never answer anything about what lies outside the caller's scope: that
// does not exist.
package readapi
