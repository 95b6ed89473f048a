// Package readmodel turns the events of the four aggregates into the tables of
// the schema read: organisations, groups, users and their grants, clients,
// deliveries with items and timeline, and the counts of progress.
//
// It has two steps. Folding takes the events of one run in order and keeps one
// entry per row that they touch: what the row is created with, or what changes in
// it. It reads nothing, because the run before may still be on its way to
// the database. Writing then sends one statement per kind of row, each taking all
// entries as arrays, ordered by key. A row's position guards it: what is older than
// the row changes nothing. Where a result depends on the row before, as the counts
// of progress do, the statement itself computes it from that row.
//
// Personal data is opened here and stored readable, so that queries need no keys;
// an erased field becomes null.
package readmodel
