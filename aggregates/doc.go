// Package aggregates is the write side's shared piece: a command is loaded,
// decided and appended here, once for all aggregates, with optimistic
// concurrency, a bounded cache of recent states and idempotency by command id;
// and names are kept unique by claims.
//
// The deciders are pure and live below ([waybill/aggregates/group] and its
// neighbours); who may do what is decided in [waybill/aggregates/command]. This
// package knows no particular aggregate and must never append without naming
// the revision that it decided on.
package aggregates
